import { resolve } from "node:path";
import type { CompiledSeed } from "../compile/compiled.ts";
import { ConfigError, QueryError } from "../errors.ts";
import { nearestNames, quoteText } from "../names.ts";
import { readCsvHeader } from "./csv-header.ts";
import { relationName, replaceRelation } from "./materialize.ts";
import { csvDialect, scanCsv } from "./scan-csv.ts";
import type { ColumnType, Warehouse } from "./types.ts";

/**
 * Loads a CSV file with a header line as a table. Columns whose type the yml declares have that type, the
 * others what DuckDB finds over the whole file. An empty field is NULL; a quoted empty one (`""`) is the
 * empty text.
 */
export async function loadSeed(warehouse: Warehouse, seed: CompiledSeed, root: string): Promise<void> {
    const path = resolve(root, seed.file);
    const names = await readCsvHeader(path, seed.file);
    assertDeclared(seed, names);
    try {
        const columns = await columnTypes(warehouse, seed, path, names);
        await replaceRelation(warehouse, seed.name, [
            `create table ${relationName(seed.name)} as from ${scanCsv(path, columns)}`,
        ]);
    } catch (error) {
        throw locateCsvError(error, seed);
    }
}

async function columnTypes(
    warehouse: Warehouse,
    seed: CompiledSeed,
    path: string,
    names: readonly string[],
): Promise<readonly ColumnType[]> {
    const declared = new Map(seed.config.columns.map(({ name, type }) => [name, type]));
    const texts = names.map((name) => ({ name, type: "varchar" }));
    if (names.every((name) => declared.get(name) !== undefined)) {
        return names.map((name) => ({ name, type: declared.get(name)! }));
    }
    // A malformed line is reported with its number here; the detection below only says that it gave up.
    await warehouse.rows(`select count(columns(*)) from ${scanCsv(path, texts)}`);
    const detected = await warehouse.describe(
        `from read_csv(${quoteText(path)}, header = true, ${csvDialect}, sample_size = -1)`,
    );
    return names.map((name, index) => ({
        name,
        type: declared.get(name) ?? detected[index]?.type ?? "varchar",
    }));
}

function assertDeclared(seed: CompiledSeed, found: readonly string[]): void {
    const missing = seed.config.columns.filter(({ name }) => !found.includes(name));
    if (missing.length === 0) return;
    throw new ConfigError(
        missing.map(({ name }) => {
            const near = nearestNames(name, found);
            const hint = near.length > 0 ? `; did you mean ${near.join(", ")}?` : "";
            return {
                file: seed.file,
                line: 1,
                message: `the column ${name}, which its yml declares, is not in the header; found: ${found.join(", ")}${hint}`,
            };
        }),
    );
}

/** DuckDB tells line and column of a CSV error in its prose; they are moved to the front. */
function locateCsvError(error: unknown, seed: CompiledSeed): unknown {
    if (!(error instanceof QueryError)) return error;
    const line = /CSV Error on Line: (\d+)/.exec(error.message)?.[1];
    const original = /Original Line: (.*)/.exec(error.message)?.[1];
    const column = /converting column "([^"]+)"\. ?(.*)/.exec(error.message);
    if (line === undefined) {
        return new ConfigError([{ file: seed.file, message: error.message }], { cause: error });
    }
    const reason = column
        ? `column ${column[1]}: ${column[2]}`
        : (error.message.split("\n")[2] ?? error.message.split("\n")[0]);
    const message = original === undefined ? `${reason}` : `${reason}\n    ${original}`;
    return new ConfigError([{ file: seed.file, line: Number(line), message }], { cause: error });
}
