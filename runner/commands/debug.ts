import { existsSync } from "node:fs";
import { access, constants, mkdir, statfs } from "node:fs/promises";
import colours from "picocolors";
import { type InspectedSource, inspectSources } from "../extract/inspect-sources.ts";
import { withClient } from "../postgres/connect.ts";
import type { Project } from "../project/project.ts";
import { scrub } from "../secrets.ts";
import { countOf, formatAge, formatBytes } from "../status/format.ts";
import { hasOutcomes } from "../testing/replay/clocks.ts";
import { readMetadata } from "../warehouse/metadata.ts";
import { withWarehouse } from "../warehouse/warehouse.ts";
import { type Connections, describeTarget, withConnections } from "./connections.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { type Prepared, prepare } from "./prepare.ts";

type Status = "ok" | "warn" | "failed";

interface Check {
    readonly name: string;
    readonly status: Status;
    readonly message: string;
}

/** Looks at everything a run needs, changes nothing, and returns whether a run could be made. */
export async function debug(options: CommonOptions, environment: Environment): Promise<boolean> {
    const checks: Check[] = [];
    const { data, note } = environment.output;
    const add = (name: string, status: Status, message: string) => {
        checks.push({ name, status, message: scrub(message) });
        if (!options.json) data(`${mark(status)} ${name.padEnd(12)} ${message}`);
    };
    const check = async (name: string, work: () => Promise<readonly [Status, string]>) => {
        try {
            add(name, ...(await work()));
        } catch (error) {
            add(name, "failed", error instanceof Error ? error.message : String(error));
        }
    };

    add(
        "program",
        "ok",
        `rebuild ${environment.version}, Node ${process.version}, ${process.platform} ${process.arch}`,
    );
    let prepared: Prepared | undefined;
    await check("project", async () => {
        prepared = await prepare(options, environment);
        const { project, compiled } = prepared;
        const warnings =
            compiled.warnings.length > 0 ? `; ${countOf(compiled.warnings.length, "warning")}` : "";
        return ["ok", `${project.name}: ${countOf(compiled.nodes.size, "node")}${warnings}`];
    });
    if (prepared) {
        const { project } = prepared;
        const { target } = project;
        await check("outcomes", async () => describeOutcomes(project));
        add("target", "ok", `${target.name}, ${describeTarget(target)}`);
        await check("warehouse", () => describeWarehouse(prepared!, environment.now()));
        await check("disk", () => describeDisk(prepared!));
        await check("connections", async () => {
            const settings = {
                root: project.root,
                note: environment.output.note,
                signal: environment.signal,
            };
            await withConnections(target, settings, async (connections) => {
                await check("source", () => describeSource(prepared!, connections));
                await check("publish", () => describePublish(connections));
            });
            return ["ok", "opened and closed"];
        });
    }
    const good = checks.every(({ status }) => status !== "failed");
    if (options.json) data(JSON.stringify(checks, null, 2));
    note(good ? "A run can be made." : "A run cannot be made until the failed checks pass.");
    return good;
}

/** A column that says neither is taken as known before: a new outcome would go unseen. */
function describeOutcomes({ sources }: Project): readonly [Status, string] {
    const silent = sources.flatMap(({ name, columns }) =>
        columns.filter(({ isKnownDeclared }) => !isKnownDeclared).map((column) => `${name}.${column.name}`),
    );
    const outcomes = sources.filter(hasOutcomes);
    if (silent.length > 0) {
        return [
            "warn",
            `nothing says when these are known: ${silent.join(", ")}; they are taken as known before. Write known: before or known: after to the column, or to its source for all`,
        ];
    }
    if (outcomes.length === 0) return ["ok", "no source declares any"];
    return ["ok", `declared in ${outcomes.map(({ name }) => name).join(", ")}`];
}

async function describeWarehouse({ project }: Prepared, now: Date): Promise<readonly [Status, string]> {
    const { warehouse: settings } = project.target;
    const limits = `${settings.threads} threads, memory limit ${settings.memoryLimit}`;
    if (!existsSync(settings.path)) return ["ok", `none yet at ${settings.path}; ${limits}`];
    const metadata = await withWarehouse(settings.path, { ...settings, readOnly: true }, readMetadata);
    if (!metadata) return ["warn", `${settings.path} was not written by \`rebuild run\``];
    const age = formatAge((now.getTime() - metadata.startedAt.getTime()) / 1000);
    return ["ok", `${settings.path} of run ${metadata.runId}, ${age} old; ${limits}`];
}

async function describeDisk({ targetDirectory }: Prepared): Promise<readonly [Status, string]> {
    await mkdir(targetDirectory, { recursive: true });
    await access(targetDirectory, constants.W_OK);
    const { bavail, bsize } = await statfs(targetDirectory);
    const free = bavail * bsize;
    const isLittle = free < 2 * 1024 ** 3;
    return [
        isLittle ? "warn" : "ok",
        `${formatBytes(free)} free for ${targetDirectory}${isLittle ? ", which is little: a warehouse, its copy and spilled data need room" : ""}`,
    ];
}

async function describeSource(
    { project }: Prepared,
    { source }: Connections,
): Promise<readonly [Status, string]> {
    const tables = await inspectSources(project, source);
    const missing = tables.flatMap(({ name, missingOptional }) =>
        missingOptional.map((column) => `${name}.${column}`),
    );
    const list = tables.map(describeTable).join(", ");
    if (missing.length === 0) return ["ok", list];
    return ["ok", `${list}; optional and missing, so NULL to the models: ${missing.join(", ")}`];
}

function describeTable({ name, rows }: InspectedSource): string {
    return rows === undefined ? name : `${name} (about ${countOf(rows, "row")})`;
}

async function describePublish({ publish }: Connections): Promise<readonly [Status, string]> {
    if (!publish) return ["ok", "this target publishes nowhere"];
    return withClient({ url: publish.url, applicationName: "rebuild debug" }, async (client) => {
        const { rows } = await client.query<{ version: string; can: boolean; user: string }>(
            `select current_setting('server_version') as version, current_user::text as "user",
                    has_database_privilege(current_database(), 'create') as can`,
        );
        const { version, can, user } = rows[0]!;
        return can
            ? ["ok", `Postgres ${version} as ${user}, schema ${publish.schema}`]
            : [
                  "failed",
                  `${user} may not create schemas in this database; run: grant create on database ... to ${user}`,
              ];
    });
}

function mark(status: Status): string {
    if (status === "ok") return colours.green("OK  ");
    return status === "warn" ? colours.yellow("WARN") : colours.red("FAIL");
}
