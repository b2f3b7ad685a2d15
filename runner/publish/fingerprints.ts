import { createHash } from "node:crypto";
import type { CompiledProject } from "../compile/compiled.ts";
import { quoteName, quoteText } from "../names.ts";
import { readAuditSummary, readMetadata } from "../warehouse/metadata.ts";
import type { Warehouse } from "../warehouse/types.ts";
import type { Published, PublishedTable } from "./published.ts";

/** What a generation was made of, for a later look. */
export interface Fingerprints {
    readonly models: string;
    /** Absent: the warehouse holds no source tables. */
    readonly source?: string;
    readonly snapshotAt?: Date;
    /** JSON of what was replayed of the warehouse before it was published. */
    readonly audit?: string;
}

/** Of the compiled models named and all that they read; `texts` holds the code of models that are not SQL. */
export function fingerprintModels(
    compiled: CompiledProject,
    names: Iterable<string>,
    texts: ReadonlyMap<string, string> = new Map(),
): string {
    const seen = new Set<string>();
    const visit = (name: string) => {
        const node = compiled.nodes.get(name);
        if (!node || seen.has(name)) return;
        seen.add(name);
        for (const ref of node.refs) visit(ref);
    };
    for (const name of names) visit(name);
    const nodes = [...seen].sort().map((name) => {
        const node = compiled.nodes.get(name)!;
        return [name, "sql" in node ? node.sql : node.file, texts.get(name) ?? ""];
    });
    const macros = compiled.macros.map(({ name, sql }) => [name, sql]);
    return digest([nodes, macros]);
}

/**
 * Of the rows of all source tables, whatever their order; with when they were read, and the audit that rests on them.
 */
export async function fingerprintSource(
    warehouse: Warehouse,
): Promise<Pick<Fingerprints, "source" | "snapshotAt" | "audit">> {
    const tables = await warehouse.rows(
        `select table_name as name from duckdb_tables()
         where database_name = current_database() and schema_name = 'sources' order by 1`,
    );
    if (tables.length === 0) return {};
    const hashes: unknown[] = [];
    for (const { name } of tables) {
        const relation = `sources.${quoteName(String(name))}`;
        const columns = await warehouse.describe(`from ${relation}`);
        hashes.push([name, await hashRows(warehouse, relation, columns)]);
    }
    const metadata = await readMetadata(warehouse);
    const audit = await readAuditSummary(warehouse);
    return {
        source: digest(hashes),
        ...(metadata?.snapshotAt && { snapshotAt: metadata.snapshotAt }),
        ...(audit !== undefined && { audit }),
    };
}

/** Of everything that the project says of an object: with another one it must be built anew. */
export function hashDefinition(object: Published): string {
    // These say how to come into service, not as what.
    const { mode: _mode, rowCountBand: _band, ...shape } = { ...object } as Partial<PublishedTable>;
    return digest({ ...shape, comments: [...object.comments] });
}

async function hashRows(
    warehouse: Warehouse,
    relation: string,
    columns: readonly { readonly name: string }[],
): Promise<string> {
    const names = columns.map(({ name }) => quoteName(name));
    const [row] = await warehouse.rows(
        `select ${hashOfAll("h", names)} as hash from (select hash(${names.join(", ")}) as h from ${relation})`,
    );
    return digest(String(row!.hash));
}

/**
 * SQL of one text for all rows, whatever their order, from the hash of each. The sum notices what an exclusive or would
 * cancel, two equal rows; the other way round it is the better mixer.
 */
export function hashOfAll(hash: string, names: readonly string[]): string {
    return `concat_ws(' ', count(*), bit_xor(${hash}), sum(${hash}::hugeint), ${quoteText(names.join())})`;
}

export function digest(value: unknown): string {
    return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}
