import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { ConfigError } from "./errors.ts";

/** What must be known before the command line is parsed properly: it decides how problems are told. */
export interface EarlyOptions {
    readonly projectDir: string;
    readonly logFormat: string | undefined;
    readonly logLevel: string | undefined;
}

/** The three options wherever they stand; anything else on the line is none of its business. */
export function readEarly(
    argv: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
): EarlyOptions {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
        args: argv.slice(2),
        options: { "project-dir": text, "log-format": text, "log-level": text },
        strict: false,
    });
    const given = (name: string) => (typeof values[name] === "string" ? (values[name] as string) : undefined);
    return {
        projectDir: given("project-dir") ?? env.REBUILD_PROJECT_DIR ?? ".",
        logFormat: given("log-format") ?? env.LOG_FORMAT,
        logLevel: given("log-level") ?? env.LOG_LEVEL,
    };
}

/**
 * Adds what the project's .env holds to the environment; what is set already stays. REBUILD_ENV_FILE names
 * another file, or none when it is empty.
 */
export function loadEnvironment(projectDir: string, env: Record<string, string | undefined>): void {
    const named = env.REBUILD_ENV_FILE;
    if (named === "") return;
    const file = resolve(projectDir, named ?? ".env");
    let text: string;
    try {
        text = readFileSync(file, "utf8");
    } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === "ENOENT" && named === undefined) return;
        throw new ConfigError(`${file} cannot be read (${code}). REBUILD_ENV_FILE may name another file.`, {
            cause,
        });
    }
    for (const [name, value] of Object.entries(parseEnv(text))) env[name] ??= value;
}
