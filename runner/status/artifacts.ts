import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CompiledNode, CompiledProject } from "../compile/compiled.ts";
import type { FailureReason } from "../failure-reason.ts";
import { registerLeftovers } from "../leftovers.ts";
import type { Project } from "../project/project.ts";
import { scrub, scrubbedJson } from "../secrets.ts";
import type { AuditSummary } from "../testing/replay/audit.ts";
import type { NodeResult, Phase } from "./events.ts";

/** `skipped`: another run held the lock. */
export type RunStatus = "success" | "failed" | "interrupted" | "skipped";

/** What a swap put in service. */
export interface Publication {
    /** Absent: nothing of what was selected is published. */
    readonly generation?: number;
    /** `schema.name` */
    readonly objects: readonly string[];
    /** How long readers could have been held up. */
    readonly swapMilliseconds: number;
}

/** What one run did: printed by `--json`, kept as target/run_results.json and target/runs/<run id>.json. */
export interface RunRecord {
    readonly runId: string;
    readonly command: string;
    readonly status: RunStatus;
    readonly exitCode: number;
    /** What kind of failure it was; absent after success. */
    readonly reason?: FailureReason;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly seconds: number;
    readonly target: string;
    readonly triggeredBy: string;
    /** It only walked through its phases. */
    readonly testMode?: boolean;
    readonly selection: { readonly select: readonly string[]; readonly exclude: readonly string[] };
    /** Seconds per phase, in the order they ran. */
    readonly phases: readonly { readonly phase: Phase; readonly seconds: number }[];
    readonly results: readonly NodeResult[];
    /** When the source snapshot was taken, ISO 8601. */
    readonly sourceSnapshotAt?: string;
    /** What was replayed; or why nothing was, as rebuild.yml says. */
    readonly audit?: AuditSummary | { readonly off: string };
    readonly publication?: Publication;
    readonly error?: string;
}

/** Keeps a run's record; the file appears whole or not at all. */
export async function writeRunRecord(targetDirectory: string, record: RunRecord): Promise<void> {
    const text = `${scrubbedJson(toSnakeCase(record), 2)}\n`;
    await writeWhole(join(targetDirectory, "runs", `${record.runId}.json`), text);
    // The latest run is then another one, which still works.
    if (record.status !== "skipped") await writeWhole(join(targetDirectory, "run_results.json"), text);
}

/** Removes files that writers left half-written when they were killed; the caller holds the lock on the folder. */
export async function removeParts(targetDirectory: string): Promise<void> {
    for (const folder of [targetDirectory, join(targetDirectory, "runs")]) {
        const names = await readdir(folder).catch(() => [] as string[]);
        for (const name of names.filter((one) => one.endsWith(".part")))
            await rm(join(folder, name), { force: true });
    }
}

/** A record as it was written, in snake_case; absent: there is none of this id. */
export async function readRunRecord(
    targetDirectory: string,
    runId: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (!/^[\w-]+$/.test(runId)) return undefined;
    try {
        return JSON.parse(await readFile(join(targetDirectory, "runs", `${runId}.json`), "utf8"));
    } catch {
        return undefined;
    }
}

/** Writes target/audit.json and the page for people, target/audit.txt. */
export async function writeAudit(targetDirectory: string, audit: object, page: string): Promise<void> {
    await writeWhole(join(targetDirectory, "audit.json"), `${scrubbedJson(toSnakeCase(audit), 2)}\n`);
    await writeWhole(join(targetDirectory, "audit.txt"), scrub(`${page}\n`));
}

/** Writes target/manifest.json and target/compiled/**; compiled files of models that are gone are removed. */
export async function writeCompiled(
    project: Project,
    compiled: CompiledProject,
    targetDirectory: string,
): Promise<void> {
    const folder = join(targetDirectory, "compiled");
    await rm(folder, { recursive: true, force: true });
    for (const node of compiled.nodes.values()) {
        if (node.kind === "seed" || node.sql === "") continue;
        const file = join(folder, node.file);
        await mkdir(dirname(file), { recursive: true });
        // A model may render the environment: `{{env_var "TOKEN"}}`.
        await writeFile(file, scrub(`${node.sql}\n`));
    }
    const manifest = {
        name: project.name,
        target: project.target.name,
        vars: project.vars,
        sources: project.sources,
        nodes: [...compiled.nodes.values()].map(describeNode),
        order: compiled.order,
    };
    await writeWhole(join(targetDirectory, "manifest.json"), `${scrubbedJson(toSnakeCase(manifest), 2)}\n`);
}

function describeNode(node: CompiledNode): unknown {
    const { name, kind, file, refs, sources } = node;
    if (node.kind === "assertion")
        return { name, kind, file, refs, sources, severity: node.severity, description: node.description };
    return { name, kind, file, refs, sources, config: node.config };
}

/** The file appears whole or not at all. */
export async function writeWhole(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const part = `${path}.${process.pid}.part`;
    const forget = registerLeftovers(part);
    await writeFile(part, text);
    await rename(part, path);
    forget();
}

/**
 * Keys of the JSON are snake_case, as in dbt's artifacts; `vars` and column names keep theirs, being snake_case
 * already.
 */
export function toSnakeCase(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(toSnakeCase);
    if (value instanceof Date) return value.toISOString();
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
            key.replace(/[a-z0-9][A-Z]/g, (pair) => `${pair[0]}_${pair[1]!.toLowerCase()}`),
            toSnakeCase(inner),
        ]),
    );
}
