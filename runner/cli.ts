import { constants } from "node:os";
import { Command, CommanderError } from "commander";
import { addCommands } from "./commands/program.ts";
import { diskFailure } from "./disk-failure.ts";
import { exitCodes, RebuildError } from "./errors.ts";
import { exitCodeOf } from "./failure-reason.ts";
import { removeLeftovers } from "./leftovers.ts";
import { loadEnvironment, readEarly } from "./load-environment.ts";
import { registerEnvironment } from "./secrets.ts";
import type { RunEvent } from "./status/events.ts";
import { type LogLevel, logLevels } from "./status/log-level.ts";
import { createOutput, type Output } from "./status/output.ts";
import type { Progress } from "./status/phase-track.ts";
import { version } from "./version.ts";

const now = () => new Date();

/** The process around one command: environment and signals in, exit code out. */
export async function main(argv: readonly string[]): Promise<void> {
    registerEnvironment(process.env);
    const early = readEarly(argv, process.env);
    let output = outputOf(early);
    try {
        loadEnvironment(early.projectDir, process.env);
    } catch (error) {
        process.exitCode = reportError(error, false, output);
        return;
    }
    registerEnvironment(process.env);
    output = outputOf(readEarly(argv, process.env));

    const abort = new AbortController();
    let stoppedAt = 0;
    const stop = (signal: NodeJS.Signals) => {
        if (abort.signal.aborted) {
            // A later one does not wait for cleaning up. Ctrl-C reaches parent and child, and the parent passes it on:
            // what comes at once is the same signal.
            if (Date.now() - stoppedAt > 1000) process.exit(128 + constants.signals[signal]);
            return;
        }
        stoppedAt = Date.now();
        output.note(`\n${signal}: stopping ...`, "warn");
        abort.abort(new Error(`stopped by ${signal}`));
    };
    for (const name of ["SIGINT", "SIGTERM"] as const) {
        // Until here bin/rebuild.js ended the process at once. Ours comes first: without any, even for a moment, a
        // signal that has arrived and was not heard yet is lost, and process 1 of a container does not end by one.
        const before = process.listeners(name);
        process.on(name, stop);
        for (const listener of before) process.off(name, listener);
    }
    // Nothing else would scrub it, or write it as JSON.
    process.on("uncaughtException", (error) => {
        process.exit(reportError(error, false, output));
    });
    // A reader that closes the pipe (`rebuild ls | head`) is no error.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EPIPE") process.exit(exitCodes.done);
        throw error;
    });

    const terminal = process.stderr.isTTY ? process.stderr : undefined;
    const environment = {
        env: process.env,
        now,
        output,
        signal: abort.signal,
        version,
        ...(terminal && { terminal }),
        ...(process.send && { listener: tellParent }),
    };
    const program = new Command();
    addCommands(program, environment, (code) => {
        process.exitCode = code;
    });
    try {
        await program.parseAsync(argv);
    } catch (error) {
        process.exitCode = reportError(error, abort.signal.aborted, output);
    }
    if (!abort.signal.aborted) return;
    // Sockets to servers that do not answer, and what DuckDB cannot interrupt, would hold the process for seconds.
    removeLeftovers();
    process.exit();
}

function outputOf({
    logFormat,
    logLevel,
}: {
    readonly logFormat: string | undefined;
    readonly logLevel: string | undefined;
}): Output {
    // What is neither is refused by the command line's parser, in lines for people.
    const level = logLevels.find((one) => one === logLevel) ?? ("info" satisfies LogLevel);
    return createOutput(logFormat === "json" ? "json" : "text", level, now);
}

/** A service that died does not take the run with it. */
function tellParent(event: RunEvent, progress: Progress): void {
    if (process.connected) process.send?.({ event, progress }, undefined, undefined, () => undefined);
}

/** Known errors are told without a stack; a bug keeps it. */
function reportError(caught: unknown, interrupted: boolean, { note }: Output): number {
    if (interrupted) {
        note("Interrupted.", "warn");
        return exitCodes.interrupted;
    }
    const error = diskFailure(caught) ?? caught;
    // Commander has said it already: help and version end with 0, everything else is a wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.notMade;
    if (error instanceof RebuildError) {
        note(`Error: ${error.message}`, "error");
        return exitCodeOf(error);
    }
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    note(`This is a bug in rebuild, not in your project:\n${trace}`, "error");
    return exitCodes.notMade;
}
