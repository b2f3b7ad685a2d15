import { resolve } from "node:path";
import type { CompiledSeed } from "../compile/compiled.ts";
import { ConfigError, QueryError } from "../errors.ts";
import { nearestNames, quoteText } from "../names.ts";
import { relationName, replaceRelation } from "./materialize.ts";
import type { Warehouse } from "./types.ts";

/**
 * Loads a CSV file with a header line as a table. Columns whose type the yml declares have that type, the
 * others what DuckDB finds over the whole file. An empty field is NULL; a quoted empty one (`""`) is the
 * empty text.
 */
export async function loadSeed(warehouse: Warehouse, seed: CompiledSeed, root: string): Promise<void> {
    const path = resolve(root, seed.file);
    const declared = seed.config.columns.filter(({ type }) => type !== undefined);
    const found = (await describeCsv(warehouse, seed, path)).map(({ name }) => name);
    assertColumns(seed, found);
    const types = declared.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type!)}`);
    const typed = types.length > 0 ? `, types = {${types.join(", ")}}` : "";
    try {
        await replaceRelation(warehouse, seed.name, [
            `create table ${relationName(seed.name)} as from ${scan(path, `sample_size = -1${typed}`)}`,
        ]);
    } catch (error) {
        throw locateCsvError(error, seed);
    }
}

function scan(path: string, options: string): string {
    return `read_csv(${quoteText(path)}, header = true, delim = ',', quote = '"', escape = '"',
        allow_quoted_nulls = false, null_padding = false, ${options})`;
}

async function describeCsv(warehouse: Warehouse, seed: CompiledSeed, path: string) {
    try {
        return await warehouse.describe(`from ${scan(path, "all_varchar = true")}`);
    } catch (error) {
        throw locateCsvError(error, seed);
    }
}

function assertColumns(seed: CompiledSeed, found: readonly string[]): void {
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
    const column = /converting column "([^"]+)"/.exec(error.message)?.[1];
    const original = /Original Line: (.*)/.exec(error.message)?.[1];
    const reason =
        /(?:Could not convert|Expected Number of Columns|Value with unterminated|Error when)[^\n]*/g;
    const reasons = error.message.match(reason)?.filter((text) => !text.startsWith("Error when converting"));
    if (line === undefined) {
        return new ConfigError([{ file: seed.file, message: error.message }], { cause: error });
    }
    const message = [
        column !== undefined && `column ${column}: `,
        reasons?.[0] ?? error.message.split("\n")[0],
        original !== undefined && `\n    ${original}`,
    ];
    return new ConfigError(
        [{ file: seed.file, line: Number(line), message: message.filter(Boolean).join("") }],
        {
            cause: error,
        },
    );
}
