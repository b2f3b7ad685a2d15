import type { Position } from "../../errors.ts";
import type { CompiledModel } from "../compiled.ts";

/** Where a place of compiled SQL stands in the templates; the column is exact where the template has the same text. */
export function templatePlace(
    { sql, lineMap, file }: Pick<CompiledModel, "sql" | "lineMap" | "file">,
    offset: number,
    texts: ReadonlyMap<string, string>,
): Position {
    const before = sql.slice(0, offset).split("\n");
    const position = lineMap[before.length - 1];
    if (position?.line === undefined) return { file };
    const template = texts.get(position.file)?.split("\n")[position.line - 1] ?? "";
    const compiled = sql.split("\n")[before.length - 1]!;
    const lead = compiled.length - compiled.trimStart().length;
    const from = before.at(-1)!.length;
    const start = (position.column ?? 1) - 1;
    // The same text, at the same distance from the line's beginning or wherever else it stands.
    const rest = compiled.slice(from);
    const word = /^\W?\w*/.exec(rest)![0];
    const candidates = [start + from - lead, template.indexOf(rest, start), template.indexOf(word, start)];
    const column = candidates.find((at) => at >= 0 && template.startsWith(word, at));
    return { file: position.file, line: position.line, column: (column ?? start) + 1 };
}
