import { type Command, InvalidArgumentError, Option } from "commander";
import type { Environment } from "./environment.ts";
import type { ServeOptions } from "./serve.ts";
import { status } from "./status.ts";
import { examples, optionsOf, verb, wholeNumber } from "./verb.ts";

/** The verbs of whoever looks after runs. */
export function addOperations(
    program: Command,
    environment: Environment,
    setExitCode: (code: number) => void,
): void {
    verb(
        program,
        "status",
        "Show the last runs and the one under way; the exit code says whether all is well",
    )
        .option("--limit <runs>", "how many runs", wholeNumber, 10)
        .option("--watch", "again and again, until the run under way has ended", false)
        .option("--max-age <time>", "fail when the last success is older: 90m, 12h, 8d", duration)
        .addHelpText(
            "after",
            examples(
                ["status", "the last runs"],
                ["status --watch", "follow a run"],
                ["status --max-age 8d || page-me", "an alarm when the weekly run fails or does not run"],
            ) +
                "\n\nExit codes: 0 the last run succeeded, 1 it failed, died or is too old, 2 it cannot be told.",
        )
        .action(async (_, command: Command) => setExitCode(await status(optionsOf(command), environment)));

    verb(program, "serve", "Serve runs over HTTP and start them by schedule, until it is told to stop")
        .addOption(
            new Option("--host <address>", "`::` for everybody").default("127.0.0.1").env("REBUILD_HOST"),
        )
        .addOption(
            new Option("--port <port>", "0 for any free one").default(8080).argParser(port).env("PORT"),
        )
        .addOption(
            new Option("--schedule <pattern>", "cron pattern in UTC (default: as rebuild.yml says)").env(
                "REBUILD_SCHEDULE",
            ),
        )
        .option("--no-schedule", "runs start only when somebody asks for them")
        .addHelpText(
            "after",
            examples(
                ["serve", "for this machine, by the schedule of rebuild.yml"],
                ["serve --host :: --port 8080 --no-schedule", "for a network; see docs/operations.md first"],
            ),
        )
        .action(async (_, command: Command) => {
            // The HTTP library would cost every other command a quarter of a second.
            const { serve } = await import("./serve.ts");
            await serve(serveOptions(command), environment);
        });
}

/** `--no-schedule` makes `true` the option's default, which is to say nothing. */
function serveOptions(command: Command): ServeOptions {
    const { schedule, ...options } = optionsOf<ServeOptions>(command) as Omit<ServeOptions, "schedule"> & {
        readonly schedule?: string | boolean;
    };
    return { ...options, ...(schedule !== undefined && schedule !== true && { schedule }) };
}

function port(text: string): number {
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new InvalidArgumentError("A port from 0 to 65535 is wanted.");
    return Number(text);
}

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** `8d` in seconds. */
function duration(text: string): number {
    const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
    if (!match) throw new InvalidArgumentError("A time such as 90m, 12h, 8d or 2w is wanted.");
    return Number(match[1]) * secondsOf[match[2] as keyof typeof secondsOf];
}
