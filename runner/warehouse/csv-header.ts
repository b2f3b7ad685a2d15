import { readFile } from "node:fs/promises";
import { ConfigError } from "../errors.ts";

/** The column names in the first record of a CSV file. `file` is what messages call it. */
export async function readCsvHeader(path: string, file: string): Promise<readonly string[]> {
    const names = parseRecord((await readText(path, file)).replace(/^\uFEFF/, ""));
    const problem = describeProblem(names);
    if (problem !== undefined) throw new ConfigError([{ file, line: 1, message: problem }]);
    return names;
}

async function readText(path: string, file: string): Promise<string> {
    try {
        return await readFile(path, "utf8");
    } catch (error) {
        const { message } = error as Error;
        throw new ConfigError([{ file, message: `the file cannot be read: ${message}` }], { cause: error });
    }
}

function describeProblem(names: readonly string[]): string | undefined {
    if (names.length === 1 && names[0] === "")
        return "the file is empty; its first line must name the columns";
    const nameless = names.indexOf("");
    if (nameless >= 0) return `the header has no name for column ${nameless + 1}: ${names.join(",")}`;
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    return repeated === undefined ? undefined : `the header names the column ${repeated} twice`;
}

function parseRecord(text: string): string[] {
    const fields: string[] = [];
    let field = "";
    let quoted = false;
    for (let index = 0; index < text.length; index++) {
        const character = text[index]!;
        if (quoted) {
            if (character !== '"') field += character;
            else if (text[index + 1] === '"') field += text[index++];
            else quoted = false;
        } else if (character === '"') {
            quoted = true;
        } else if (character === ",") {
            fields.push(field);
            field = "";
        } else if (character === "\n" || character === "\r") {
            break;
        } else {
            field += character;
        }
    }
    return [...fields, field];
}
