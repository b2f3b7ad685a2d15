import { PublishError } from "../errors.ts";
import { quoteName, quoteText } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { encodePieces } from "../postgres/copy-encode.ts";
import { copyOutBytes } from "../postgres/copy-out-bytes.ts";
import { copyDataHeader } from "../postgres/copy-stream.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { type ColumnCheck, columnChecks } from "./column-checks.ts";
import type { PublishedTable } from "./published.ts";
import type { Survey } from "./survey.ts";

/** Whole rows compared byte for byte. */
const sampleRows = 200;

/** Reads a table of the server and compares it with the warehouse; throws with everything that differs. */
export async function verifyTable(
    client: PostgresClient,
    warehouse: Warehouse,
    object: PublishedTable,
    { relation, survey }: { readonly relation: string; readonly survey: Survey },
): Promise<void> {
    const checks = columnChecks(object);
    // Each on its own side: neither waits for the other.
    const [{ rows }, sample] = await Promise.all([
        client.query<Record<string, string | null>>(
            `select ${checks.map(({ postgres }, index) => `(${postgres})::text as c${index}`).join(", ")} from ${relation}`,
        ),
        drawSample(warehouse, object, survey),
    ]);
    const differences = checks.flatMap((check, index) =>
        compare(check, survey.expected[index] ?? null, rows[0]![`c${index}`] ?? null),
    );
    differences.push(...(await compareSample(client, object, { relation, sample })));
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

interface Sample {
    /** Of each row its keys, as text. */
    readonly keys: readonly (readonly string[])[];
    /** Whole rows in COPY's binary format, in the order of their keys. */
    readonly bytes: Buffer;
}

/**
 * Some rows of the warehouse, spread by the hash of their keys; a key that is not there, or there twice, identifies
 * nothing.
 */
async function drawSample(
    warehouse: Warehouse,
    { model, key, columns }: PublishedTable,
    { isKeyUnique }: Survey,
): Promise<Sample> {
    // A list is written in another way there, and hardly a key.
    const isList = (name: string) =>
        columns.some((column) => column.name === name && column.postgresType.endsWith("[]"));
    if (key.length === 0 || key.some(isList)) return { keys: [], bytes: Buffer.alloc(0) };
    const keys = key.map(quoteName);
    const names = columns.map(({ name }) => quoteName(name));
    const unique = isKeyUnique ? "" : `qualify count(*) over (partition by ${keys.join(", ")}) = 1`;
    const chunks = warehouse.readRaw(
        `select ${[...names, ...key.map((name) => keyText(name, columns))].join(", ")}
         from main.${quoteName(model)} where ${keys.map((name) => `${name} is not null`).join(" and ")} ${unique}
         order by hash(${keys.join(", ")}), ${keys.join(", ")} limit ${sampleRows}`,
    );
    const texts: string[][] = [];
    const bytes: Buffer[] = [];
    for await (const { rowCount, columns: read } of chunks) {
        const rows = { rowCount, columns: read.slice(0, names.length) };
        for (const piece of encodePieces(rows)) bytes.push(piece.subarray(copyDataHeader));
        for (let row = 0; row < rowCount; row++) {
            texts.push(read.slice(names.length).map((text) => Buffer.from(text.bytes!(row)).toString()));
        }
    }
    return { keys: texts, bytes: Buffer.concat(bytes) };
}

/** As Postgres reads it: bytes are written in another way there. */
function keyText(name: string, columns: PublishedTable["columns"]): string {
    const isBytes = columns.some((column) => column.name === name && column.postgresType === "bytea");
    return isBytes ? `'\\x' || hex(${quoteName(name)})` : `${quoteName(name)}::varchar`;
}

/** The same rows from the server: found by the index of the key, where there is one. */
async function compareSample(
    client: PostgresClient,
    table: PublishedTable,
    { relation, sample }: { readonly relation: string; readonly sample: Sample },
): Promise<readonly string[]> {
    if (sample.keys.length === 0) return [];
    const types = table.key.map((key) => table.columns.find(({ name }) => name === key)!.postgresType);
    const values = sample.keys.map(
        (texts, position) =>
            `(${position}, ${texts.map((text, index) => `${quoteText(text)}::${types[index]}`).join(", ")})`,
    );
    const columns = table.columns.map(({ name }) => `loaded.${quoteName(name)}`).join(", ");
    const matches = table.key
        .map((name, index) => `loaded.${quoteName(name)} = sample.k${index}`)
        .join(" and ");
    const found = await copyOutBytes(
        client,
        `copy (select ${columns}
               from (values ${values.join(", ")}) as sample (position, ${types.map((_, index) => `k${index}`).join(", ")})
               join ${relation} as loaded on ${matches}
               order by sample.position) to stdout with (format binary)`,
    );
    if (sample.bytes.equals(found)) return [];
    return [`${sample.keys.length} sampled rows, read back, are not the bytes that were sent`];
}
