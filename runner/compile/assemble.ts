import type { Position } from "../errors.ts";
import { readTokens } from "./markers.ts";

/** SQL and, line by line, where it comes from. */
export interface AssembledSql {
    readonly sql: string;
    /** Index 0 is line 1. */
    readonly lineMap: readonly (Position | undefined)[];
}

/**
 * Takes the marks out of a rendered template: relations get their names, and each line the place of the
 * first thing on it. Blank lines at both ends and a closing semicolon go.
 */
export function assembleSql(
    rendered: string,
    files: readonly string[],
    nameRelation: (kind: "ref" | "this", name: string) => string,
): AssembledSql {
    const lines: { text: string; position: Position | undefined }[] = [{ text: "", position: undefined }];
    let place: { kind: "text" | "value"; file: string; line: number; column: number } | undefined;
    const indents: string[] = [];
    const write = (text: string) => {
        const line = lines.at(-1)!;
        if (line.text === "") line.text = indents.join("");
        if (!line.position && place && text.trim() !== "") {
            const lead = place.kind === "text" ? text.length - text.trimStart().length : 0;
            line.position = { file: place.file, line: place.line, column: place.column + lead };
        }
        if (place?.kind === "text") place.column += text.length;
        line.text += text;
    };
    for (const token of readTokens(rendered)) {
        if (token.type === "place") {
            place = { kind: token.kind, file: files[token.file]!, line: token.line, column: token.column };
        } else if (token.type === "newline") {
            if (place?.kind === "text") {
                place.line++;
                place.column = 1;
            }
            lines.push({ text: "", position: undefined });
        } else if (token.type === "indent") indents.push(token.indent);
        else if (token.type === "outdent") indents.pop();
        else write(token.type === "name" ? nameRelation(token.kind, token.name) : token.text);
    }
    while (lines.length > 1 && lines[0]!.text.trim() === "") lines.shift();
    while (lines.length > 1 && /^[\s;]*$/.test(lines.at(-1)!.text)) lines.pop();
    const last = lines.at(-1)!;
    last.text = last.text.replace(/[\s;]+$/, "");
    return { sql: lines.map(({ text }) => text).join("\n"), lineMap: lines.map(({ position }) => position) };
}

/** Pieces below each other; text of the compiler's own has no place. */
export function joinSql(pieces: readonly (AssembledSql | string)[]): AssembledSql {
    const parts = pieces.map((piece) =>
        typeof piece === "string" ? { sql: piece, lineMap: piece.split("\n").map(() => undefined) } : piece,
    );
    return {
        sql: parts.map(({ sql }) => sql).join("\n"),
        lineMap: parts.flatMap(({ lineMap }) => lineMap),
    };
}
