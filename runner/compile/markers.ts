/**
 * What a template leaves in its own output, to be taken out again when the SQL is put together. Unicode
 * has set these code points aside for use inside a program: no text of anybody's contains them.
 */
const marks = {
    place: "\uFDD0",
    name: "\uFDD2",
    indent: "\uFDD3",
    outdent: "\uFDD4",
    end: "\uFDD1",
} as const;

/** Where the text that follows comes from: `text` was written there, `value` was computed there. */
export function placeMark(kind: "text" | "value", file: number, line: number, column: number): string {
    return `${marks.place}${kind === "text" ? "t" : "v"}${file},${line},${column}${marks.end}`;
}

/** A relation whose name is known only when every model's configuration is: `ref:runners`, `this:`. */
export function nameMark(kind: "ref" | "this", name: string): string {
    return `${marks.name}${kind}:${name}${marks.end}`;
}

/** Around the output of a macro that stands alone in a line: its lines are set in as the call is. */
export function indentMark(indent: string): string {
    return `${marks.indent}${indent}${marks.end}`;
}

export const outdentMark = marks.outdent;

export type Token =
    | {
          readonly type: "place";
          readonly kind: "text" | "value";
          readonly file: number;
          readonly line: number;
          readonly column: number;
      }
    | { readonly type: "name"; readonly kind: "ref" | "this"; readonly name: string }
    | { readonly type: "indent"; readonly indent: string }
    | { readonly type: "outdent" }
    | { readonly type: "newline" }
    | { readonly type: "text"; readonly text: string };

const tokenPattern =
    /\uFDD0([tv])(\d+),(\d+),(\d+)\uFDD1|\uFDD2(ref|this):([^\uFDD1]*)\uFDD1|\uFDD3([ \t]*)\uFDD1|(\uFDD4)|(\n)|([^\n\uFDD0-\uFDD4]+)/g;

/** A rendered template, taken apart. */
export function* readTokens(rendered: string): Generator<Token> {
    for (const match of rendered.matchAll(tokenPattern)) {
        const [, kind, file, line, column, nameKind, name, indent, outdent, newline, text] = match;
        if (kind) {
            yield {
                type: "place",
                kind: kind === "t" ? "text" : "value",
                file: Number(file),
                line: Number(line),
                column: Number(column),
            };
        } else if (nameKind) yield { type: "name", kind: nameKind as "ref" | "this", name: name ?? "" };
        else if (indent !== undefined) yield { type: "indent", indent };
        else if (outdent) yield { type: "outdent" };
        else if (newline) yield { type: "newline" };
        else if (text) yield { type: "text", text };
    }
}

/** The text without its marks, for values that a helper compares. */
export function withoutMarks(text: string): string {
    return text
        .replace(/[\uFDD0\uFDD3][^\uFDD1]*\uFDD1|\uFDD4/g, "")
        .replace(/\uFDD2(?:ref|this):([^\uFDD1]*)\uFDD1/g, "$1");
}
