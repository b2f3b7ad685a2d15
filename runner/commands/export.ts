import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CompiledNode } from "../compile/compiled.ts";
import { ConfigError } from "../errors.ts";
import { quoteName, quoteText } from "../names.ts";
import { countOf, formatBytes } from "../status/format.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { findRelation } from "./find-relation.ts";
import { withLastGood } from "./last-good.ts";
import { type ColumnOptions, pickColumns } from "./pick-columns.ts";
import { prepare } from "./prepare.ts";

export interface ExportOptions extends CommonOptions, ColumnOptions {
    /** A model, seed or `sources.<name>`. */
    readonly name: string;
    /** File to write; its ending says the format. */
    readonly to: string;
}

export interface Exported {
    readonly name: string;
    readonly file: string;
    readonly rows: number;
    readonly columns: readonly string[];
    readonly bytes: number;
}

const formats = [
    [".parquet", "(format parquet, compression zstd)"],
    [".csv", "(format csv, header)"],
    [".csv.gz", "(format csv, header, compression gzip)"],
] as const;

/** Writes a relation of the last good warehouse, or some of its columns, to a file. */
export async function exportFile(options: ExportOptions, environment: Environment): Promise<Exported> {
    const { project, compiled } = await prepare(options, environment);
    const { name } = options;
    const format = formatOf(options.to);
    const file = resolve(options.to);
    const exported = await withLastGood(project, async (warehouse) => {
        const relation = await findRelation(warehouse, name, compiled.nodes.keys());
        const node = compiled.nodes.get(name);
        const found = (await warehouse.describe(`select * from ${relation}`)).map((column) => column.name);
        const columns = pickColumns(name, found, node, options);
        const query = `select ${columns.map(quoteName).join(", ")} from ${relation}${orderOf(node, found)}`;
        await mkdir(dirname(file), { recursive: true });
        // Beside its place and renamed: a reader of the file never meets half of it.
        const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
        try {
            const [written] = await warehouse.rows(`copy (${query}) to ${quoteText(temporary)} ${format}`);
            await rename(temporary, file);
            const { size } = await stat(file);
            return { name, file, rows: Number(written?.Count ?? 0), columns, bytes: size };
        } finally {
            await rm(temporary, { force: true });
        }
    });
    environment.output.data(options.json ? JSON.stringify(exported, null, 2) : describeExport(exported));
    return exported;
}

function formatOf(file: string): string {
    const known = formats.find(([ending]) => file.toLowerCase().endsWith(ending));
    if (known) return known[1];
    throw new ConfigError(
        `Cannot tell the format of ${file}: its name must end with ${formats.map(([ending]) => ending).join(", ")}.`,
    );
}

/** By the grain, so that the same warehouse gives the same file. */
function orderOf(node: CompiledNode | undefined, found: readonly string[]): string {
    const grain = node && node.kind !== "assertion" ? node.config.grain : [];
    const known = grain.filter((name) => found.includes(name));
    return known.length > 0 ? ` order by ${known.map(quoteName).join(", ")}` : "";
}

function describeExport({ name, file, rows, columns, bytes }: Exported): string {
    const what = `${countOf(rows, "row")} of ${countOf(columns.length, "column")}`;
    return `Wrote ${what} of ${name} to ${file} (${formatBytes(bytes)})`;
}
