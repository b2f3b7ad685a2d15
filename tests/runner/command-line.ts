import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const binary = fileURLToPath(new URL("../../bin/rebuild.js", import.meta.url));

export interface Outcome {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

export interface CommandOptions {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    /** Called with everything printed so far: may send signals. */
    readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void, pid: number) => void;
}

/** Runs the real binary, as a user does, without the environment of the tests. */
export function rebuild(
    args: readonly string[],
    { env = {}, cwd, onOutput }: CommandOptions = {},
): Promise<Outcome> {
    const { PATH = "", HOME = "", TMPDIR } = process.env;
    const child = spawn(process.execPath, [binary, ...args], {
        env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), NO_COLOR: "1", ...env },
        stdio: ["ignore", "pipe", "pipe"],
        ...(cwd !== undefined && { cwd }),
    });
    let stdout = "";
    let stderr = "";
    const seen = () => onOutput?.(stdout + stderr, (signal) => child.kill(signal), child.pid!);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        seen();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
        seen();
    });
    return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
}
