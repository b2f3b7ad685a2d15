import type { Keys } from "./row-keys.ts";
import { columnOf, isGroup, isQuery, isSymbol, isWord, type SqlNode, splitAtCommas } from "./sql-tree.ts";
import { readWindowSpec, type WindowSpec } from "./window-spec.ts";

const clauseWords = [
    "select",
    "from",
    "where",
    "group",
    "having",
    "window",
    "qualify",
    "order",
    "limit",
    "using",
] as const;
type Clause = (typeof clauseWords)[number];

/** One select, its subqueries apart. */
export interface Select {
    readonly clauses: ReadonlyMap<Clause, readonly SqlNode[]>;
    /** Keys of what it reads, in the order of its from clause. */
    readonly relations: readonly Keys[];
    readonly windows: ReadonlyMap<string, WindowSpec>;
    /** Columns of `group by`; absent where one is an expression. */
    readonly groupBy?: readonly string[];
    /** Columns of `select distinct on (...)`. */
    readonly distinctOn?: readonly string[];
}

/** Keys of a relation by its name in the SQL. */
type Scope = ReadonlyMap<string, Keys>;

/**
 * Every select of a statement, innermost first, each with what is known of the rows it reads; and keys of the result.
 */
export function readStatement(
    nodes: readonly SqlNode[],
    relations: Scope,
): { readonly selects: readonly Select[]; readonly keys: Keys } {
    const selects: Select[] = [];
    const keys = readQuery(nodes, relations, selects);
    return { selects, keys };
}

function readQuery(nodes: readonly SqlNode[], outer: Scope, selects: Select[]): Keys {
    const scope = new Map(outer);
    let from = 0;
    if (isWord(nodes[0], "with")) {
        from = isWord(nodes[1], "recursive") ? 2 : 1;
        while (from < nodes.length && !isWord(nodes[from], "select", "from", "values")) {
            const name = nodes[from];
            const body = nodes.findIndex((node, at) => at > from && isGroup(node) && isBehindAs(nodes, at));
            const group = nodes[body];
            if (!isGroup(group) || name?.kind === "group") break;
            scope.set(name!.text, readQuery(group.items, scope, selects));
            from = isSymbol(nodes[body + 1], ",") ? body + 2 : body + 1;
        }
    }
    const parts = splitAtSetOperations(nodes.slice(from));
    const keys = parts.map((part) => {
        // DuckDB takes `(select ...) union (select ...)`.
        const [only] = part;
        if (part.length === 1 && isQuery(only)) return readQuery(only.items, scope, selects);
        return readSelect(part, scope, selects);
    });
    return keys.length === 1 ? keys[0]! : [];
}

/** `as (`, `as materialized (`. */
function isBehindAs(nodes: readonly SqlNode[], at: number): boolean {
    return isWord(nodes[at - 1], "as") || isWord(nodes[at - 1], "materialized");
}

function splitAtSetOperations(nodes: readonly SqlNode[]): readonly (readonly SqlNode[])[] {
    const parts: SqlNode[][] = [[]];
    for (const [at, node] of nodes.entries()) {
        if (isWord(node, "union", "except", "intersect")) parts.push([]);
        else if (parts.length > 1 && parts.at(-1)!.length === 0 && isWord(node, "all", "distinct")) continue;
        else if (isWord(node, "by") && isWord(nodes[at + 1], "name")) continue;
        else if (isWord(node, "name") && isWord(nodes[at - 1], "by")) continue;
        else parts.at(-1)!.push(node);
    }
    return parts.filter((part) => part.length > 0);
}

function readSelect(nodes: readonly SqlNode[], scope: Scope, selects: Select[]): Keys {
    const clauses = splitClauses(nodes);
    const fromClause = clauses.get("from") ?? [];
    const relations = readRelations(fromClause, scope, selects);
    for (const [clause, items] of clauses) if (clause !== "from") readSubqueries(items, scope, selects);
    const windows = new Map<string, WindowSpec>();
    for (const part of splitAtCommas(clauses.get("window") ?? [])) {
        const [name, , group] = part;
        if (name && name.kind !== "group" && isGroup(group))
            windows.set(name.text, readWindowSpec(group, windows));
    }
    const { distinct, distinctOn, outputs } = readOutputs(clauses.get("select") ?? []);
    const groupBy = readGroupBy(clauses.get("group"), outputs);
    const select = {
        clauses,
        relations,
        windows,
        ...(groupBy && { groupBy }),
        ...(distinctOn && { distinctOn }),
    };
    selects.push(select);
    if (clauses.has("group")) return groupBy ? renamed([groupBy], outputs) : [];
    const picked = pickedBy(clauses.get("qualify") ?? [], windows);
    const numbered = outputs.flatMap(({ name, value }): Keys => {
        const window = numberedBy(value, windows);
        return window && name !== undefined ? [[...window.partition, name]] : [];
    });
    const own = renamed([...(relations[0] ?? []), ...(picked ? [picked] : []), ...numbered], outputs);
    if (distinctOn) return [...own, ...renamed([distinctOn], outputs)];
    const isListed = distinct && outputs.every(({ name }) => name !== undefined);
    return isListed ? [...own, outputs.map(({ name }) => name!)] : own;
}

function splitClauses(nodes: readonly SqlNode[]): ReadonlyMap<Clause, readonly SqlNode[]> {
    const clauses = new Map<Clause, SqlNode[]>();
    let current: SqlNode[] | undefined;
    for (let at = 0; at < nodes.length; at++) {
        const node = nodes[at]!;
        const word = node.kind === "word" ? clauseWords.find((clause) => clause === node.text) : undefined;
        if (word && startsClause(nodes, at)) {
            current = [];
            // The first of a kind: a later one belongs to what the lint does not understand.
            if (!clauses.has(word)) clauses.set(word, current);
            if (word === "group" || word === "order") at++;
        } else current?.push(node);
    }
    return clauses;
}

/** `is distinct from`, a column of this name and `using (...)` of a join begin no clause. */
function startsClause(nodes: readonly SqlNode[], at: number): boolean {
    const before = nodes[at - 1];
    if (isWord(nodes[at], "from")) return !isWord(before, "distinct");
    if (isWord(nodes[at], "group", "order")) return isWord(nodes[at + 1], "by");
    if (isWord(nodes[at], "using")) return isWord(nodes[at + 1], "sample");
    return !isSymbol(before, ".") && !isWord(before, "as");
}

function readRelations(nodes: readonly SqlNode[], scope: Scope, selects: Select[]): readonly Keys[] {
    const relations: Keys[] = [];
    let expected = true;
    for (let at = 0; at < nodes.length; at++) {
        const node = nodes[at]!;
        if (isWord(node, "join") || isSymbol(node, ",")) expected = true;
        else if (isWord(node, "lateral")) continue;
        else if (!expected) readSubqueries([node], scope, selects);
        else if (isQuery(node)) {
            relations.push(readQuery(node.items, scope, selects));
            expected = false;
        } else if (isGroup(node)) {
            relations.push(...readRelations(node.items, scope, selects));
            expected = false;
        } else if (node.kind === "word" || node.kind === "name") {
            let path = node.text;
            while (isSymbol(nodes[at + 1], ".")) {
                const next = nodes[at + 2];
                path += `.${next && next.kind !== "group" ? next.text : ""}`;
                at += 2;
            }
            relations.push(isGroup(nodes[at + 1]) ? [] : (scope.get(path) ?? []));
            expected = false;
        }
    }
    return relations;
}

function readSubqueries(nodes: readonly SqlNode[], scope: Scope, selects: Select[]): void {
    for (const node of nodes) {
        if (isQuery(node)) readQuery(node.items, scope, selects);
        else if (node.kind === "group") readSubqueries(node.items, scope, selects);
    }
}

/** One thing selected. */
interface Output {
    /** Absent where it cannot be told, as of `*`. */
    readonly name?: string;
    /** The column it hands on. */
    readonly column?: string;
    readonly isStar: boolean;
    readonly value: readonly SqlNode[];
}

function readOutputs(nodes: readonly SqlNode[]) {
    const distinct = isWord(nodes[0], "distinct");
    const on = distinct && isWord(nodes[1], "on") && isGroup(nodes[2]) ? nodes[2] : undefined;
    const list = nodes.slice(on ? 3 : distinct || isWord(nodes[0], "all") ? 1 : 0);
    const outputs = splitAtCommas(list).map((part): Output => {
        const star = part.findIndex((node) => isSymbol(node, "*"));
        if (star === 0 || (star > 0 && isSymbol(part[star - 1], "."))) return { isStar: true, value: part };
        const as = part.findLastIndex((node) => isWord(node, "as"));
        const alias = as >= 0 && as === part.length - 2 ? part[as + 1] : undefined;
        const value = as >= 0 ? part.slice(0, as) : part;
        const column = columnOf(value);
        const name = alias && alias.kind !== "group" ? alias.text : column;
        return {
            isStar: false,
            value,
            ...(name !== undefined && { name }),
            ...(column !== undefined && { column }),
        };
    });
    const distinctOn = on && splitAtCommas(on.items).flatMap((part) => columnOf(part) ?? []);
    return { distinct: distinct && !on, distinctOn, outputs };
}

function readGroupBy(nodes: readonly SqlNode[] | undefined, outputs: readonly Output[]) {
    if (!nodes) return undefined;
    if (nodes.length === 1 && isWord(nodes[0], "all")) {
        // What is handed on as it is; expressions are aggregates or follow from it.
        return outputs.flatMap(({ column }) => column ?? []);
    }
    const columns = splitAtCommas(nodes).map(columnOf);
    return columns.every((column) => column !== undefined) ? (columns as readonly string[]) : undefined;
}

/** Keys under the names that the select gives them; a key of which a column is not handed on is none. */
function renamed(keys: Keys, outputs: readonly Output[]): Keys {
    const hasStar = outputs.some(({ isStar }) => isStar);
    const nameOf = (column: string) =>
        outputs.find((output) => output.column === column || output.name === column)?.name ??
        (hasStar ? column : undefined);
    return keys.flatMap((key) => {
        const names = key.map(nameOf);
        return names.every((name) => name !== undefined) ? [names as string[]] : [];
    });
}

/** The partition of `qualify row_number() over (...) = 1`, which leaves one row of each. */
function pickedBy(nodes: readonly SqlNode[], windows: ReadonlyMap<string, WindowSpec>) {
    const one = nodes.at(-1);
    const isFirst = isSymbol(nodes.at(-2), "=") && one?.kind === "number" && one.text === "1";
    return isFirst ? numberedBy(nodes.slice(0, -2), windows)?.partition : undefined;
}

/** The window of `row_number() over (...)` alone, perhaps in parentheses and cast. */
function numberedBy(
    nodes: readonly SqlNode[],
    windows: ReadonlyMap<string, WindowSpec>,
): WindowSpec | undefined {
    const cast = nodes.findIndex((node) => isSymbol(node, "::"));
    const value = cast < 0 ? nodes : nodes.slice(0, cast);
    const [call, , over, window] = value;
    if (value.length === 1 && isGroup(call)) return numberedBy(call.items, windows);
    if (!isWord(call, "row_number") || !isWord(over, "over") || value.length !== 4) return undefined;
    if (isGroup(window)) return readWindowSpec(window, windows);
    return window && window.kind !== "group" ? windows.get(window.text) : undefined;
}
