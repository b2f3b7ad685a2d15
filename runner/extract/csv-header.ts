import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { ColumnType } from "../warehouse/types.ts";

/** A header that has not ended by then is none. */
const longestHeader = 1 << 20;

/**
 * The names in the first line of a CSV file. DuckDB's own detection guesses at the whole format from the first rows, so
 * that a broken row becomes a riddle about quotes; with the names known it reads strictly and tells the line.
 */
export async function readCsvHeader(path: string): Promise<readonly ColumnType[]> {
    const names = await readFirstRecord(path);
    if (names.length === 0) throw new Error("it is empty: the first line names the columns");
    const seen = new Set<string>();
    return names.map((given, index) => {
        // DuckDB does not tell names apart by case.
        const name = given.trim() || `column ${index + 1}`;
        const key = name.toLowerCase();
        if (seen.has(key)) throw new Error(`its header names the column ${name} twice`);
        seen.add(key);
        return { name, type: "VARCHAR" };
    });
}

async function readFirstRecord(path: string): Promise<readonly string[]> {
    const file = createReadStream(path);
    const plain = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
    file.on("error", (error) => plain.destroy(error));
    plain.setEncoding("utf8");
    let text = "";
    try {
        for await (const piece of plain) {
            text += piece;
            const names = parseRecord(text, false);
            if (names) return names;
            if (text.length > longestHeader) throw new Error("its first line has no end within 1 MiB");
        }
    } finally {
        file.destroy();
    }
    return parseRecord(text, true) ?? [];
}

/** The fields up to the first line break outside of quotes; `undefined` while there is none. */
function parseRecord(text: string, isWhole: boolean): readonly string[] | undefined {
    const fields: string[] = [];
    let field = "";
    let isQuoted = false;
    for (let index = text.startsWith("\ufeff") ? 1 : 0; index < text.length; index++) {
        const letter = text[index]!;
        if (isQuoted) {
            if (letter !== '"') field += letter;
            else if (text[index + 1] === '"') field += text[++index];
            else isQuoted = false;
        } else if (letter === '"') isQuoted = true;
        else if (letter === ",") {
            fields.push(field);
            field = "";
        } else if (letter === "\n" || letter === "\r") return [...fields, field];
        else field += letter;
    }
    if (!isWhole) return undefined;
    if (isQuoted) throw new Error("a quote in its first line is never closed");
    return text.length > 0 ? [...fields, field] : [];
}
