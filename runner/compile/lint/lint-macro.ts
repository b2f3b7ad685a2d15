import type { CompiledMacro } from "../compiled.ts";
import { readAcceptances } from "./acceptances.ts";
import { callsOf } from "./calls.ts";
import { callFindings } from "./choice-rules.ts";
import { type LintedModel, settle } from "./lint-model.ts";
import { isWord, readSqlTree } from "./sql-tree.ts";

/** A DuckDB macro is an expression that any model may use: what it must not do is ask the clock or chance. */
export function lintMacro(macro: CompiledMacro, texts: ReadonlyMap<string, string>): LintedModel {
    const tree = readSqlTree(macro.sql);
    // What stands in front of the first `as` is its name; behind a later one there is a name as well.
    const body = tree.nodes.slice(tree.nodes.findIndex((node) => isWord(node, "as")) + 1);
    const select = { clauses: new Map([["select", body] as const]), relations: [], windows: new Map() };
    const raw = callsOf(select).flatMap((call) => callFindings(call, select));
    return settle({ ...macro, inYml: {} }, raw, readAcceptances(macro.sql, tree), texts);
}
