import type { Position, Problem } from "../errors.ts";

/** A problem with the line it stands on and a caret under its column. */
export function locatedProblem(position: Position, text: string, message: string): Problem {
    const shown = showLine(text, position.line, position.column);
    return { ...position, message: shown ? `${message}\n${shown}` : message };
}

/**
 * ```
 *   12 | from {{ref "runnners"}}
 *      |      ^
 * ```
 */
export function showLine(
    text: string,
    line: number | undefined,
    column: number | undefined,
): string | undefined {
    const found = line === undefined ? undefined : text.split("\n")[line - 1];
    if (found === undefined) return undefined;
    const number = String(line).padStart(4);
    const { shown, caret } = cut(found, column);
    if (caret === undefined) return `${number} | ${shown}`;
    // Tabs are kept, so that the caret stands right whatever their width.
    const lead = shown.slice(0, caret).replace(/[^\t]/g, " ");
    return `${number} | ${shown}\n${" ".repeat(number.length)} | ${lead}^`;
}

const widest = 160;

/** A very long line around its column. */
function cut(line: string, column: number | undefined): { readonly shown: string; readonly caret?: number } {
    const at = column === undefined ? undefined : Math.min(Math.max(0, column - 1), line.length);
    if (line.length <= widest) return { shown: line, ...(at !== undefined && { caret: at }) };
    const from = Math.max(0, Math.min((at ?? 0) - widest / 2, line.length - widest));
    const shown = `${from > 0 ? "…" : ""}${line.slice(from, from + widest)}${from + widest < line.length ? "…" : ""}`;
    return { shown, ...(at !== undefined && { caret: at - from + (from > 0 ? 1 : 0) }) };
}
