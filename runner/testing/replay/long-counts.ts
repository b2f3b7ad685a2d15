import { readFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { CompiledModel, CompiledNode, CompiledProject } from "../../compile/compiled.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { auditedModels } from "./replay-plan.ts";

/** A model that may have another recipe for histories longer than those of a slice. */
export interface LongCount {
    readonly model: string;
    /** A number that no slice counts to, in the model itself or in what it is made from. */
    readonly number: number;
}

interface Counting {
    readonly warehouse: Warehouse;
    readonly compiled: CompiledProject;
    /** Folder of the project. */
    readonly root: string;
    /** Models to look at. Default: all with `as_of`. */
    readonly names: ReadonlySet<string> | undefined;
    /** How far a slice counts, and the whole history at most, in rows. */
    readonly beyond: number;
    readonly upTo: number;
}

/**
 * Models that know a number which a whole history may count to, and a slice does not: which of two recipes gave a value cannot be seen from the
 * value. Looked at are all constants of a model, of macros and modules it uses, of seeds and of models that are not compared
 * themselves; in SQL `50 * 100` is 5,000. What else such a number may stand for, a price or a distance, is not told apart.
 */
export async function longCounts(counting: Counting): Promise<readonly LongCount[]> {
    const { compiled, names, beyond, upTo } = counting;
    const audited = new Map(auditedModels(compiled).map((model) => [model.name, model]));
    const isLong = (number: number) => number > beyond && number <= upTo;
    const macros = await macroBodies(counting.warehouse);
    const known = new Map<string, Promise<number | undefined>>();
    const longIn = (node: CompiledNode): Promise<number | undefined> => {
        const found =
            known.get(node.name) ??
            numbersOf(node, counting, macros).then((numbers) => [...numbers].find(isLong));
        known.set(node.name, found);
        return found;
    };
    const counts: LongCount[] = [];
    for (const model of audited.values()) {
        if (names && !names.has(model.name)) continue;
        for (const node of withUncompared(model, compiled, new Set(audited.keys()))) {
            const number = await longIn(node);
            if (number === undefined) continue;
            counts.push({ model: model.name, number });
            break;
        }
    }
    return counts;
}

/** The model and what it is made from, up to where a model is compared itself. */
function withUncompared(
    model: CompiledModel,
    { nodes }: CompiledProject,
    audited: ReadonlySet<string>,
): readonly CompiledNode[] {
    const found = new Set<CompiledNode>([model]);
    for (const { refs } of found)
        for (const name of refs) if (!audited.has(name)) found.add(nodes.get(name)!);
    return [...found];
}

async function numbersOf(
    node: CompiledNode,
    { warehouse, root }: Counting,
    macros: ReadonlyMap<string, string>,
): Promise<ReadonlySet<number>> {
    if (node.kind === "seed") return numbersOfSeed(warehouse, node.name);
    if (node.kind === "model" && node.language === "typescript") return numbersOfScript(root, node.file);
    const numbers = new Set<number>();
    const texts = new Set([node.sql]);
    for (const sql of texts) {
        const tree = await parse(warehouse, sql);
        if (tree === undefined) for (const number of numbersInText(sql)) numbers.add(number);
        else
            collect(tree, numbers, (name) => {
                const body = macros.get(name);
                if (body !== undefined) texts.add(body);
            });
    }
    return numbers;
}

/** Of a script and of what it imports from the project's models and macros. */
async function numbersOfScript(root: string, script: string): Promise<ReadonlySet<number>> {
    const files = new Set([resolve(root, script)]);
    const folders = ["models", "macros"].map((name) => join(resolve(root), name, sep));
    const numbers = new Set<number>();
    for (const file of files) {
        const text = await readFile(file, "utf8");
        for (const number of numbersInText(text)) numbers.add(number);
        for (const [, module] of text.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)) {
            const imported = resolve(dirname(file), module!);
            if (folders.some((folder) => imported.startsWith(folder))) files.add(imported);
        }
    }
    return numbers;
}

/** SQL by name, as a query. */
async function macroBodies(warehouse: Warehouse): Promise<ReadonlyMap<string, string>> {
    const rows = await warehouse.rows(
        "select function_name as name, function_type as type, macro_definition as body from duckdb_functions() where not internal and macro_definition is not null",
    );
    return new Map(
        rows.map(({ name, type, body }) => [
            String(name),
            type === "macro" ? `select ${body}` : String(body),
        ]),
    );
}

/** Of a table of few rows: a model may take its limits from it. */
async function numbersOfSeed(warehouse: Warehouse, name: string): Promise<ReadonlySet<number>> {
    const relation = `main.${quoteName(name)}`;
    const columns = (await warehouse.describe(`select * from ${relation}`)).filter(
        ({ type }) => type !== "VARCHAR",
    );
    if (columns.length === 0) return new Set();
    const values = columns.map(
        ({ name: column }) =>
            `select try_cast(${quoteName(column)}::varchar as double) as value from ${relation}`,
    );
    const rows = await warehouse.rows(
        `select distinct value from (${values.join(" union all ")}) where value is not null`,
    );
    return new Set(rows.map(({ value }) => Number(value)));
}

/** DuckDB's own tree of a query; undefined for what it makes none of. */
async function parse(warehouse: Warehouse, sql: string): Promise<unknown> {
    const [row] = await warehouse.rows(`select json_serialize_sql(${quoteText(sql)})::varchar as tree`);
    const tree = JSON.parse(String(row!.tree)) as { readonly error: boolean; readonly statements?: unknown };
    return tree.error ? undefined : tree.statements;
}

type Fields = Readonly<Record<string, unknown>>;

/** Adds the constants of a tree, of arithmetic on constants the result, and tells the functions it calls. */
function collect(tree: unknown, numbers: Set<number>, onCall: (name: string) => void): void {
    if (tree === null || typeof tree !== "object") return;
    const fields = tree as Fields;
    const constant = constantOf(fields);
    if (constant !== undefined) {
        numbers.add(Math.abs(constant));
        return;
    }
    if (typeof fields.function_name === "string") onCall(fields.function_name);
    // A table macro.
    const called = fields.type === "TABLE_FUNCTION" && (fields.function as Fields | undefined);
    if (called) onCall(String(called.function_name));
    for (const part of Object.values(fields)) collect(part, numbers, onCall);
}

const arithmetic: Readonly<Record<string, (one: number, other: number) => number>> = {
    "+": (one, other) => one + other,
    "-": (one, other) => one - other,
    "*": (one, other) => one * other,
    "/": (one, other) => one / other,
    "//": (one, other) => Math.floor(one / other),
    "%": (one, other) => one % other,
    "^": (one, other) => one ** other,
    "**": (one, other) => one ** other,
};

function constantOf(fields: Fields): number | undefined {
    if (fields.class === "CONSTANT") return numberOf(fields.value as Fields);
    if (fields.class === "CAST") return constantOf(fields.child as Fields);
    if (fields.class !== "FUNCTION") return undefined;
    const compute = arithmetic[String(fields.function_name)];
    const operands = (fields.children as readonly Fields[]).map(constantOf);
    const [one, other] = operands;
    if (!compute || one === undefined || operands.length > 2) return undefined;
    if (operands.length === 1) return fields.function_name === "-" ? -one : one;
    return other === undefined ? undefined : compute(one, other);
}

function numberOf({ type, value }: Fields): number | undefined {
    const { id, type_info: info } = type as { readonly id: string; readonly type_info: Fields | null };
    if (typeof value === "string") return /^\s*-?\d/.test(value) ? numberOrNone(value) : undefined;
    if (typeof value !== "number") return undefined;
    return id === "DECIMAL" ? value / 10 ** Number(info?.scale ?? 0) : value;
}

function numberOrNone(text: string): number | undefined {
    const number = Number(text);
    return Number.isNaN(number) ? undefined : number;
}

const comments = /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function numbersInText(text: string): ReadonlySet<number> {
    const found = text.replace(comments, "").matchAll(/(?<![\w.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)/gi);
    return new Set([...found].map(([number]) => Number(number.replaceAll("_", ""))));
}
