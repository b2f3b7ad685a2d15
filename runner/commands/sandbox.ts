import { resolve } from "node:path";
import { ensureWorld, loadFolder, openSandbox, resetWorld, withSandbox } from "../../sandbox/sandbox.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import type { CommonOptions, Environment } from "./environment.ts";

export interface SandboxLoadOptions extends CommonOptions {
    /** Relative to the working directory. */
    readonly folder: string;
}

export interface SandboxResetOptions extends CommonOptions {
    /** Events in the simulated world. Default: the sandbox's own. */
    readonly size?: number;
    readonly seed?: number;
}

/** Keeps the sandbox's Postgres running in the foreground until Ctrl-C. Its URL, password included, goes to stdout. */
export async function sandboxRun(options: CommonOptions, environment: Environment): Promise<void> {
    const { signal } = environment;
    const sandbox = await openSandbox(settings(options, environment));
    try {
        await ensureWorld(sandbox.url, settings(options, environment));
        // Whoever starts the sandbox wants to connect: this is the one secret that is printed, on purpose.
        process.stdout.write(
            `${options.json ? JSON.stringify({ url: sandbox.url, port: sandbox.port }) : sandbox.url}\n`,
        );
        environment.output.note(
            `Postgres ${sandbox.version} is running on port ${sandbox.port}. Look around with: psql "<the URL above>"\n` +
                "Ctrl-C stops it. `rebuild run` in another terminal uses it while it runs.",
        );
        await new Promise<void>((stop) => {
            if (signal.aborted) stop();
            const heartbeat = setInterval(() => undefined, 60_000);
            signal.addEventListener("abort", () => {
                clearInterval(heartbeat);
                stop();
            });
        });
    } finally {
        await sandbox.stop();
    }
    environment.output.note("The sandbox is stopped; its data stays in target/sandbox.");
}

/** Puts files of the same contract in place of the sandbox's source tables. */
export async function sandboxLoad(options: SandboxLoadOptions, environment: Environment): Promise<void> {
    await withSandbox(settings(options, environment), (url) =>
        loadFolder(url, options.folder, settings(options, environment)),
    );
    if (options.json)
        environment.output.data(JSON.stringify({ kind: "folder", folder: resolve(options.folder) }));
    sayNext(environment);
}

/** Puts a simulated world in place of the sandbox's source tables. */
export async function sandboxReset(options: SandboxResetOptions, environment: Environment): Promise<void> {
    const { size, seed } = options;
    const loaded = await withSandbox(settings(options, environment), (url) =>
        resetWorld(url, {
            ...settings(options, environment),
            ...(size !== undefined && { size }),
            ...(seed !== undefined && { seed }),
        }),
    );
    if (options.json) environment.output.data(JSON.stringify(toSnakeCase(loaded), null, 2));
    sayNext(environment);
}

function settings(options: CommonOptions, { output, signal }: Environment) {
    return { root: resolve(options.projectDir), note: output.note, signal };
}

function sayNext({ output }: Environment): void {
    output.note("Next: rebuild run --target sandbox");
}
