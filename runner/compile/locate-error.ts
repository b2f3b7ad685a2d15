import type { Position } from "../errors.ts";
import { showLine } from "./snippet.ts";

export interface SqlError {
    readonly node: {
        readonly file: string;
        readonly sql: string;
        readonly lineMap: readonly (Position | undefined)[];
    };
    /** As the engine said it. */
    readonly message: string;
    /** In characters from the beginning of the node's SQL, where the engine told it. */
    readonly offset?: number | undefined;
}

/**
 * An engine's error in the user's terms: the line of the template, where it can be told, and the compiled
 * line with a caret.
 *
 * ```
 * models/features/career.sql:12: Binder Error: Referenced column "totl_wins" not found
 * compiled line 14:
 *   14 |     sum(totl_wins) over before_today as wins,
 *      |         ^
 * ```
 */
export function describeSqlError({ node, message, offset }: SqlError): string {
    const { text, shown } = splitMessage(message);
    const place = offset === undefined ? findShown(node.sql, shown) : placeOf(node.sql, offset);
    if (!place) return `${node.file}: ${message.trim()}`;
    const template = node.lineMap[place.line - 1];
    const where =
        template === undefined
            ? node.file
            : template.file === node.file
              ? `${node.file}:${template.line}`
              : `${node.file}: in ${template.file}:${template.line}`;
    return `${where}: ${text}\ncompiled line ${place.line}:\n${showLine(node.sql, place.line, place.column)}`;
}

interface Shown {
    readonly line: string;
    readonly caret: number;
}

/** DuckDB ends a message with `LINE 3: the line` and a caret below; its line counts in the whole statement. */
function splitMessage(message: string): { readonly text: string; readonly shown?: Shown } {
    const match = /\n+LINE \d+: (.*)\n( *)\^\s*$/.exec(message);
    if (!match) return { text: message.trim() };
    const label = /\n+(LINE \d+: )/.exec(match[0])![1]!;
    return {
        text: message.slice(0, match.index).trim(),
        shown: { line: match[1]!, caret: match[2]!.length - label.length },
    };
}

/** The one line of the SQL that the engine showed, perhaps cut at both ends. */
function findShown(sql: string, shown: Shown | undefined) {
    if (!shown) return undefined;
    const cutLeft = shown.line.startsWith("...") ? 3 : 0;
    const piece = shown.line.slice(cutLeft).replace(/\.\.\.$/, "");
    const lines = sql.split("\n");
    const found = lines.flatMap((line, index) => (line.includes(piece) ? [index] : []));
    const [only] = found;
    if (piece.trim() === "" || only === undefined || found.length > 1) return undefined;
    return { line: only + 1, column: lines[only]!.indexOf(piece) + shown.caret - cutLeft + 1 };
}

function placeOf(sql: string, offset: number) {
    const before = sql.slice(0, offset).split("\n");
    return { line: before.length, column: before.at(-1)!.length + 1 };
}
