import type { Select } from "./read-select.ts";
import { type Group, isGroup, isQuery, isSymbol, isWord, type SqlNode } from "./sql-tree.ts";
import { readOrder, readWindowSpec, type WindowSpec } from "./window-spec.ts";

/** A function call of a select, or a word that DuckDB evaluates as one. */
export interface Call {
    readonly name: string;
    readonly offset: number;
    readonly args: readonly SqlNode[];
    /** Written without parentheses. */
    readonly isBare: boolean;
    /** `order by` within the parentheses. */
    readonly argsOrder?: ReturnType<typeof readOrder>;
    /** For `... over (...)`. */
    readonly window?: WindowSpec;
}

/** The calls of a select, those of its subqueries apart. */
export function callsOf(select: Select): readonly Call[] {
    return [...select.clauses].flatMap(([clause, nodes]) =>
        clause === "window" ? [] : callsIn(nodes, select),
    );
}

function callsIn(nodes: readonly SqlNode[], select: Pick<Select, "windows">): readonly Call[] {
    return nodes.flatMap((node, at): readonly Call[] => {
        if (node.kind === "group") return isQuery(node) ? [] : callsIn(node.items, select);
        if (node.kind !== "word" || isSymbol(nodes[at - 1], ".") || isWord(nodes[at - 1], "as")) return [];
        const group = nodes[at + 1];
        // A bare word is a call only where it is no column's prefix: current_date.
        if (!isGroup(group)) {
            if (isSymbol(group, ".")) return [];
            return [{ name: node.text, offset: node.offset, args: [], isBare: true }];
        }
        return [
            {
                name: node.text,
                offset: node.offset,
                isBare: false,
                ...readArgs(group),
                ...windowAt(nodes, at + 2, select),
            },
        ];
    });
}

function readArgs(group: Group): Pick<Call, "args" | "argsOrder"> {
    const order = group.items.findIndex(
        (node, at) => isWord(node, "order") && isWord(group.items[at + 1], "by"),
    );
    if (order < 0) return { args: group.items };
    return { args: group.items.slice(0, order), argsOrder: readOrder(group.items.slice(order + 2)) };
}

function windowAt(
    nodes: readonly SqlNode[],
    from: number,
    { windows }: Pick<Select, "windows">,
): Pick<Call, "window"> {
    let at = from;
    if (isWord(nodes[at], "filter") && isGroup(nodes[at + 1])) at += 2;
    if (isWord(nodes[at], "ignore", "respect")) at += 2;
    if (!isWord(nodes[at], "over")) return {};
    const over = nodes[at + 1];
    if (isGroup(over)) return { window: readWindowSpec(over, windows) };
    const window = over && over.kind !== "group" ? windows.get(over.text) : undefined;
    return window ? { window } : {};
}
