import { ConfigError, type Problem, QueryError } from "../errors.ts";
import { quoteName } from "../names.ts";
import { interruptedError } from "../postgres/query-failure.ts";
import type { Source } from "../project/project.ts";
import type { NodeResult } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { readCsvHeader } from "./csv-header.ts";
import type { Extracted, ExtractOptions, FilesSource } from "./extraction.ts";
import { type FilePart, matchColumns } from "./file-columns.ts";
import { findWrongValues } from "./file-problems.ts";
import { findSourceFiles, readFunction, type SourceFile } from "./source-files.ts";
import { createSourceTables } from "./source-tables.ts";

interface FilePlan {
    readonly source: Source;
    readonly parts: readonly FilePart[];
}

/** Loads the sources from a folder of files. All headers are looked at before any row is read. */
export async function extractFromFiles(
    options: ExtractOptions & { readonly connection: FilesSource },
): Promise<Extracted> {
    const { project, connection, warehouse, signal } = options;
    const files = await findSourceFiles(connection.path, project.sources);
    const interrupt = () => warehouse.interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    try {
        const plans = await planFiles(warehouse, files);
        await createSourceTables(warehouse, project.sources);
        const results: NodeResult[] = [];
        for (const [index, plan] of plans.entries()) {
            if (signal.aborted) throw interruptedError();
            results.push(await loadSource(options, plan, index + 1));
        }
        return {
            results,
            snapshotAt: newest([...files.values()].flat()),
            missingOptional: missingColumns(plans),
        };
    } catch (error) {
        throw signal.aborted ? interruptedError(error) : error;
    } finally {
        signal.removeEventListener("abort", interrupt);
    }
}

async function planFiles(
    warehouse: Warehouse,
    files: ReadonlyMap<Source, readonly SourceFile[]>,
): Promise<readonly FilePlan[]> {
    const problems: Problem[] = [];
    const plans: FilePlan[] = [];
    for (const [source, parts] of files) {
        const planned: FilePart[] = [];
        for (const file of parts) {
            const found = await describeFile(warehouse, file, problems);
            if (found) planned.push({ file, found, columns: matchColumns(source, file, found, problems) });
        }
        plans.push({ source, parts: planned });
    }
    if (problems.length > 0) throw new ConfigError(problems);
    return plans;
}

async function describeFile(warehouse: Warehouse, file: SourceFile, problems: Problem[]) {
    try {
        if (file.format === "csv") return await readCsvHeader(file.path);
        return await warehouse.describe(`select * from ${readFunction(file, [])}`);
    } catch (error) {
        const { message } = error as Error;
        problems.push({ file: file.path, message: `cannot be read as ${file.format}: ${message}` });
        return undefined;
    }
}

async function loadSource(
    { project, warehouse, report, connection }: ExtractOptions & { readonly connection: FilesSource },
    { source, parts }: FilePlan,
    index: number,
): Promise<NodeResult> {
    const node = {
        name: source.name,
        kind: "source",
        detail: `${connection.path}/${source.identifier}`,
    } as const;
    const position = { index, total: project.sources.length };
    const started = performance.now();
    report({ type: "node-start", ...node, ...position });
    const table = `sources.${quoteName(source.name)}`;
    let bytes = 0;
    for (const part of parts) {
        const { file, found, columns } = part;
        const list = columns.map(({ expression }) => expression).join(", ");
        try {
            await warehouse.execute(`insert into ${table} select ${list} from ${readFunction(file, found)}`);
        } catch (error) {
            throw (await explain(error, warehouse, source, part)) ?? error;
        }
        bytes += file.bytes;
    }
    const [count] = await warehouse.rows(`select count(*) as row_count from ${table}`);
    const rows = Number(count?.row_count ?? 0);
    report({ type: "progress", name: source.name, rows, bytes, totalRows: rows });
    const seconds = (performance.now() - started) / 1000;
    const result = {
        ...node,
        status: "success",
        seconds,
        rows,
        columns: source.columns.length,
        bytes,
    } as const;
    report({ type: "node-end", result, ...position });
    return result;
}

async function explain(
    error: unknown,
    warehouse: Warehouse,
    source: Source,
    part: FilePart,
): Promise<ConfigError | undefined> {
    if (!(error instanceof QueryError) || error.failure.code === "Interrupted") return undefined;
    try {
        const problems = await findWrongValues(warehouse, source, part);
        if (problems) return problems;
    } catch (second) {
        if (!(second instanceof QueryError)) throw second;
        // The file itself cannot be read to its end: then DuckDB's message names the line.
    }
    return new ConfigError([{ file: part.file.path, message: `cannot be read: ${error.message}` }], {
        cause: error,
    });
}

function newest(files: readonly SourceFile[]): Date {
    return new Date(Math.max(0, ...files.map(({ modifiedAt }) => modifiedAt.getTime())));
}

function missingColumns(plans: readonly FilePlan[]): Extracted["missingOptional"] {
    return plans.flatMap(({ source, parts }) =>
        source.columns
            .filter(({ name }) =>
                parts.some(({ columns }) =>
                    columns.some(({ column, foundName }) => column.name === name && !foundName),
                ),
            )
            .map(({ name }) => ({ source: source.name, column: name })),
    );
}
