import { constants } from "node:os";
import { Command, CommanderError } from "commander";
import { addCommands } from "./commands/program.ts";
import { diskFailure } from "./disk-failure.ts";
import { exitCodes, RebuildError } from "./errors.ts";
import { scrub } from "./secrets.ts";
import { processOutput } from "./status/output.ts";
import { version } from "./version.ts";

/** The process around one command: signals in, exit code out. */
export async function main(argv: readonly string[]): Promise<void> {
    const abort = new AbortController();
    const stop = (signal: NodeJS.Signals) => {
        // The second signal does not wait for cleaning up.
        if (abort.signal.aborted) process.exit(128 + constants.signals[signal]);
        process.stderr.write(`\n${signal}: stopping ...\n`);
        abort.abort(new Error(`stopped by ${signal}`));
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    // A reader that closes the pipe (`rebuild ls | head`) is no error.
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EPIPE") process.exit(exitCodes.done);
        throw error;
    });

    const terminal = process.stderr.isTTY ? process.stderr : undefined;
    const environment = {
        env: process.env,
        now: () => new Date(),
        output: processOutput,
        signal: abort.signal,
        version,
        ...(terminal && { terminal }),
    };
    const program = new Command();
    addCommands(program, environment, (code) => {
        process.exitCode = code;
    });
    try {
        await program.parseAsync(argv);
    } catch (error) {
        process.exitCode = reportError(error, abort.signal.aborted);
    } finally {
        process.off("SIGINT", stop);
        process.off("SIGTERM", stop);
    }
}

/** Known errors are told without a stack; a bug keeps it. */
function reportError(caught: unknown, interrupted: boolean): number {
    if (interrupted) {
        processOutput.note("Interrupted.");
        return exitCodes.interrupted;
    }
    const error = diskFailure(caught) ?? caught;
    // Commander has said it already: help and version end with 0, everything else is a wrong usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.notMade;
    if (error instanceof RebuildError) {
        processOutput.note(`Error: ${error.message}`);
        return error.exitCode;
    }
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    processOutput.note(scrub(`This is a bug in rebuild, not in your project:\n${trace}`));
    return exitCodes.notMade;
}
