import { type Command, InvalidArgumentError, Option } from "commander";
import { publishOverrides } from "../publish/steps.ts";
import { logLevels } from "../status/log-level.ts";
import type { CommonOptions } from "./environment.ts";

/** A command with the options that all of them share. */
export function verb(parent: Command, name: string, description: string): Command {
    return parent
        .command(name)
        .description(description)
        .addOption(
            new Option("--project-dir <folder>", "folder that holds rebuild.yml")
                .default(".")
                .env("REBUILD_PROJECT_DIR"),
        )
        .option(
            "-t, --target <name>",
            "target of profiles.yml (default: REBUILD_TARGET, else as profiles.yml says)",
        )
        .option("--vars <yaml>", "variables over those of rebuild.yml: '{elo_k: 160}'")
        .addOption(
            new Option("--threads <count>", "DuckDB's threads").argParser(wholeNumber).env("REBUILD_THREADS"),
        )
        .option("--json", "data as JSON on stdout, notes on stderr", false)
        .addOption(
            new Option("--log-format <format>", "lines for people or JSON events")
                .choices(["text", "json"])
                .default("text")
                .env("LOG_FORMAT"),
        )
        .addOption(
            new Option("--log-level <level>", "what is too unimportant to be shown")
                .choices(logLevels)
                .default("info")
                .env("LOG_LEVEL"),
        );
}

export function selectOption(): Option {
    return new Option(
        "-s, --select <selection...>",
        "names, +a, a+, 2+a, @a, tag:x, path:x, wildcards; space: or, comma: and",
    ).default([], "all");
}

export function excludeOption(): Option {
    return new Option("--exclude <selection...>", "leave these out, same grammar").default([], "none");
}

export function tierOption(): Option {
    return new Option(
        "--tier <tiers...>",
        "only columns of these tiers (and of the grain), as the model's yml says",
    );
}

export function withoutTierOption(): Option {
    return new Option("--without-tier <tiers...>", "no columns of these tiers").conflicts("tier");
}

export function columnsOption(): Option {
    return new Option("--columns <names...>", "only these columns").conflicts(["tier", "withoutTier"]);
}

export function overrideOption(): Option {
    return new Option("--override <gates...>", "open these gates of the publish step; recorded")
        .choices(publishOverrides)
        .default([], "none");
}

/** The parsed options; each verb declares the ones that its command's type asks for. */
export function optionsOf<Options extends CommonOptions>(command: Command): Options {
    const { override, ...options } = command.optsWithGlobals();
    return { ...options, ...(override !== undefined && { overrides: override }) } as unknown as Options;
}

export function wholeNumber(text: string): number {
    if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("A whole number from 1 is wanted.");
    return Number(text);
}

export function isoDay(text: string): string {
    if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
    throw new InvalidArgumentError("A day such as 2024-03-31 is wanted.");
}

export function examples(...lines: readonly (readonly [string, string])[]): string {
    const width = Math.max(...lines.map(([text]) => text.length));
    return `\nExamples:\n${lines.map(([text, why]) => `  rebuild ${text.padEnd(width)}  # ${why}`).join("\n")}`;
}
