import os from "node:os";
import path from "node:path";
import type { Problem } from "../errors.ts";
import { registerSecret, registerSecretUrl } from "../secrets.ts";
import { checkShape, suggest } from "./check-shape.ts";
import { interpolate, type UnsetVariable } from "./interpolate.ts";
import { memoryLimit } from "./memory-limit.ts";
import { type RawTarget, rawProfileSchema, rawTargetSchema } from "./profile-schema.ts";
import type { Hook, PublishConnection, SourceConnection, Target, WarehouseSettings } from "./project.ts";
import { problemAt, type YamlDocument } from "./yaml-file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface TargetChoice {
    readonly root: string;
    readonly env: Environment;
    /** `--target` */
    readonly target?: string | undefined;
    /** What the command falls back to before the profile's own defaults. */
    readonly defaultTarget?: string | undefined;
}

/**
 * The chosen target of profiles.yml. Every target must have the right keys; only the chosen one needs its variables.
 */
export function loadTarget(
    document: YamlDocument,
    choice: TargetChoice,
    problems: Problem[],
): Target | undefined {
    const profile = checkShape(rawProfileSchema, document.value, document, [], problems);
    if (!profile) return undefined;
    const names = Object.keys(profile.targets);
    const chosen = chooseTarget(profile, choice);
    if (chosen === undefined) {
        problems.push(
            problemAt(
                document,
                [],
                `no target is chosen: pass --target, set REBUILD_TARGET, or add default: to this file. Targets are ${names.join(", ")}`,
            ),
        );
    } else if (!Object.hasOwn(profile.targets, chosen.name)) {
        problems.push(
            problemAt(
                document,
                chosen.from === "default" ? ["default"] : ["targets"],
                `${chosen.from} names the target ${chosen.name}, which is not here; ${suggest(chosen.name, names, "targets are")}`,
            ),
        );
    }
    let target: Target | undefined;
    for (const name of names) {
        const place = ["targets", name];
        const unset: UnsetVariable[] = [];
        const value = interpolate(profile.targets[name], choice.env, unset, place);
        const isChosen = name === chosen?.name;
        const found: Problem[] = [];
        const raw = checkShape(rawTargetSchema, value, document, place, found);
        // Keys that wait for a variable are judged when the target is used.
        const waiting = isChosen ? [] : unset.map((variable) => document.locate(variable.path));
        problems.push(
            ...found.filter(
                (problem) => !waiting.some((at) => at.line === problem.line && at.column === problem.column),
            ),
        );
        if (!isChosen) continue;
        for (const variable of unset) {
            problems.push(
                problemAt(
                    document,
                    variable.path,
                    `the environment variable ${variable.name} is not set, and the target ${name} needs it: set it, write \${${variable.name}:-default}, or choose another target (${names.join(", ")}) with --target`,
                ),
            );
        }
        if (raw && unset.length === 0) target = buildTarget(name, raw, document, choice, problems);
    }
    return target;
}

function chooseTarget(
    profile: { readonly default?: string | undefined; readonly targets: Readonly<Record<string, unknown>> },
    { env, target, defaultTarget }: TargetChoice,
): { readonly name: string; readonly from: string } | undefined {
    if (target) return { name: target, from: "--target" };
    const fromEnvironment = env.REBUILD_TARGET;
    if (fromEnvironment) return { name: fromEnvironment, from: "REBUILD_TARGET" };
    if (defaultTarget) return { name: defaultTarget, from: "this command" };
    for (const [name, raw] of Object.entries(profile.targets)) {
        const variable = (raw as { readonly default_when?: unknown } | null)?.default_when;
        if (typeof variable === "string" && env[variable]) return { name, from: "default_when" };
    }
    return profile.default === undefined ? undefined : { name: profile.default, from: "default" };
}

function buildTarget(
    name: string,
    raw: RawTarget,
    document: YamlDocument,
    { root }: TargetChoice,
    problems: Problem[],
): Target | undefined {
    const place = ["targets", name];
    for (const part of ["source", "publish"] as const) {
        const connection = raw[part];
        if (connection?.type !== "postgres") continue;
        registerSecret(connection.url);
        // The text itself is not shown: a URL that cannot be parsed cannot be scrubbed either.
        if (!isPostgresUrl(connection.url)) {
            problems.push(
                problemAt(
                    document,
                    [...place, part, "url"],
                    "is not a Postgres URL: it must read postgres://user:password@host:5432/database, with special characters of the password as %XX",
                ),
            );
        }
    }
    const band = raw.publish?.row_count_band;
    if (band && (band.min ?? 0.9) > (band.max ?? 1.5)) {
        problems.push(
            problemAt(document, [...place, "publish", "row_count_band"], "its min is above its max"),
        );
    }
    const publish = raw.publish && buildPublish(raw.publish);
    return {
        name,
        source: buildSource(raw.source, root),
        ...(publish && { publish }),
        warehouse: buildWarehouse(raw.warehouse ?? {}, root),
        hooks: buildHooks(raw.hooks ?? []),
    };
}

/** A webhook whose address is empty, as from `${ALERT_URL:-}`, is switched off. */
function buildHooks(raw: NonNullable<RawTarget["hooks"]>): readonly Hook[] {
    return raw.flatMap<Hook>(({ on, command, webhook, timeout_seconds: timeoutSeconds = 30 }) => {
        if (command) return [{ on, call: { command }, timeoutSeconds }];
        if (!webhook) return [];
        // Whoever knows the address may post to it.
        registerSecretUrl(webhook);
        return [{ on, call: { webhook }, timeoutSeconds }];
    });
}

function buildSource(raw: RawTarget["source"], root: string): SourceConnection {
    switch (raw.type) {
        case "postgres":
            return {
                type: "postgres",
                url: raw.url,
                schema: raw.schema ?? "public",
                connections: raw.connections ?? 3,
                timeBudgetSeconds: raw.time_budget_seconds ?? 1800,
            };
        case "files":
            return { type: "files", path: path.resolve(root, raw.path) };
        case "sandbox":
            return { type: "sandbox" };
    }
}

function buildPublish(raw: NonNullable<RawTarget["publish"]>): PublishConnection {
    const settings = {
        schema: raw.schema ?? "public",
        keepGenerations: raw.keep_generations ?? 1,
        ...(raw.max_bytes_per_second !== undefined && { maxBytesPerSecond: raw.max_bytes_per_second }),
        ...(raw.max_database_bytes !== undefined && { maxDatabaseBytes: raw.max_database_bytes }),
        swapTimeoutSeconds: raw.swap_timeout_seconds ?? 300,
        valueShareMin: raw.value_share_min ?? 0.5,
        rowCountBand: { min: raw.row_count_band?.min ?? 0.9, max: raw.row_count_band?.max ?? 1.5 },
    };
    return raw.type === "postgres"
        ? { type: "postgres", url: raw.url, ...settings }
        : { type: "sandbox", ...settings };
}

function buildWarehouse(raw: NonNullable<RawTarget["warehouse"]>, root: string): WarehouseSettings {
    const file = raw.path ?? "target/warehouse.duckdb";
    return {
        path: file.startsWith("md:") ? file : path.resolve(root, file),
        memoryLimit: memoryLimit(raw.memory_limit),
        threads: raw.threads ?? os.availableParallelism(),
        spillDirectory: path.resolve(root, raw.spill_directory ?? "target/spill"),
        concurrency: raw.concurrency ?? 4,
        compress: raw.compress ?? false,
    };
}

function isPostgresUrl(text: string): boolean {
    try {
        return ["postgres:", "postgresql:"].includes(new URL(text).protocol);
    } catch {
        return false;
    }
}
