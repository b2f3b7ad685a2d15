import { scrub, scrubbedJson } from "../secrets.ts";
import { isShown, type LogLevel } from "./log-level.ts";

export type LogFormat = "text" | "json";

/** Where a command writes. All three scrub secrets. */
export interface Output {
    /** To stdout: what a program may read. */
    readonly data: (text: string) => void;
    /** To stderr: what a person may read; an object of its own where logs are JSON. Default level: info. */
    readonly note: (text: string, level?: LogLevel) => void;
    /** To stderr, as it is: a line that has the log's format already. */
    readonly line: (text: string) => void;
}

/** Logs that are JSON are JSON to the last line: notes and errors of every command too. */
export function createOutput(format: LogFormat, wanted: LogLevel, now: () => Date): Output {
    const line = (text: string) => void process.stderr.write(`${scrub(text)}\n`);
    return {
        data: (text) => void process.stdout.write(`${scrub(text)}\n`),
        line,
        note(text, level = "info") {
            if (!isShown(level, wanted)) return;
            if (format === "text") return line(text);
            line(scrubbedJson({ at: now().toISOString(), level, type: "note", message: text.trim() }));
        },
    };
}
