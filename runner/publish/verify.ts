import { PublishError } from "../errors.ts";
import { quoteName, quoteText } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { encodeChunk } from "../postgres/copy-encode.ts";
import { copyOutBytes } from "../postgres/copy-out-bytes.ts";
import { copyDataHeader } from "../postgres/copy-stream.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { type ColumnCheck, columnChecks } from "./column-checks.ts";
import type { PublishedTable } from "./published.ts";

/** Whole rows compared byte for byte. */
const sampleRows = 200;

/**
 * Reads a table of the server and compares it with the warehouse; throws with everything that differs. Returns the
 * number of values of every column.
 */
export async function verifyTable(
    client: PostgresClient,
    warehouse: Warehouse,
    object: PublishedTable,
    relation: string,
): Promise<ReadonlyMap<string, number>> {
    const checks = columnChecks(object);
    const [expected] = await warehouse.rows(
        `select ${checks.map(({ duckdb }, index) => `(${duckdb})::varchar as c${index}`).join(", ")}
         from main.${quoteName(object.model)}`,
    );
    const { rows } = await client.query<Record<string, string | null>>(
        `select ${checks.map(({ postgres }, index) => `(${postgres})::text as c${index}`).join(", ")} from ${relation}`,
    );
    const differences = checks.flatMap((check, index) =>
        compare(check, expected![`c${index}`] as string | null, rows[0]![`c${index}`] ?? null),
    );
    differences.push(...(await compareSample(client, warehouse, object, relation)));
    if (differences.length > 0) {
        throw new PublishError(
            "verification",
            `What was loaded into ${relation} is not what the model ${object.model} holds:\n` +
                `${differences
                    .slice(0, 20)
                    .map((line) => `- ${line}`)
                    .join("\n")}` +
                `${differences.length > 20 ? `\n- and ${differences.length - 20} more` : ""}\nThe next run builds it anew.`,
        );
    }
    return new Map(
        checks.flatMap(({ counts }, index) =>
            counts === undefined ? [] : [[counts, Number(expected![`c${index}`])]],
        ),
    );
}

function compare(check: ColumnCheck, expected: string | null, found: string | null): readonly string[] {
    if (expected === found) return [];
    if (check.tolerance !== undefined && expected !== null && found !== null) {
        const wanted = toNumber(expected);
        const got = toNumber(found);
        if (Object.is(wanted, got) || Math.abs(got - wanted) <= check.tolerance * Math.abs(wanted)) return [];
    }
    return [`${check.what}: ${expected ?? "NULL"} in the model, ${found ?? "NULL"} in Postgres`];
}

/** DuckDB prints `inf` and `nan`, Postgres `Infinity` and `NaN`. */
function toNumber(text: string): number {
    return Number(text.replace(/^(-?)inf$/, "$1Infinity"));
}

/** The same rows from both sides in COPY's binary format, in the order of their keys' positions. */
async function compareSample(
    client: PostgresClient,
    warehouse: Warehouse,
    table: PublishedTable,
    relation: string,
): Promise<readonly string[]> {
    if (table.key.length === 0) return [];
    const model = `main.${quoteName(table.model)}`;
    const keys = table.key.map(quoteName);
    const sample = `(select * from ${model} order by hash(${keys.join(", ")}), ${keys.join(", ")} limit ${sampleRows})`;
    const texts = await warehouse.rows(
        `select ${keys.map((key, index) => `${key}::varchar as k${index}`).join(", ")} from ${sample} order by ${order(keys)}`,
    );
    if (texts.length === 0) return [];
    const types = table.key.map((key) => table.columns.find(({ name }) => name === key)!.postgresType);
    const values = texts.map(
        (row, position) =>
            `(${position}, ${types.map((type, index) => (row[`k${index}`] === null ? `null::${type}` : `${quoteText(String(row[`k${index}`]))}::${type}`)).join(", ")})`,
    );
    const columns = table.columns.map(({ name }) => `loaded.${quoteName(name)}`).join(", ");
    const matches = keys
        .map((key, index) => `loaded.${key} is not distinct from sample.k${index}`)
        .join(" and ");
    const expected: Buffer[] = [];
    const names = table.columns.map(({ name }) => quoteName(name)).join(", ");
    for await (const chunk of warehouse.readRaw(`select ${names} from ${sample} order by ${order(keys)}`)) {
        expected.push(encodeChunk(chunk).subarray(copyDataHeader));
    }
    const found = await copyOutBytes(
        client,
        `copy (select ${columns}
               from (values ${values.join(", ")}) as sample (position, ${keys.map((_, index) => `k${index}`).join(", ")})
               join ${relation} as loaded on ${matches}
               order by sample.position) to stdout with (format binary)`,
    );
    if (Buffer.concat(expected).equals(found)) return [];
    return [`${texts.length} sampled rows, read back, are not the bytes that were sent`];
}

function order(keys: readonly string[]): string {
    return `hash(${keys.join(", ")}), ${keys.join(", ")}`;
}
