import { readFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { CompiledModel, CompiledNode, CompiledProject } from "../../../compile/compiled.ts";
import { quoteName } from "../../../names.ts";
import type { Source } from "../../../project/project.ts";
import type { Warehouse } from "../../../warehouse/types.ts";
import { clockedSources } from "../clocks.ts";
import { auditedModels } from "../replay-plan.ts";
import type { Growth } from "./growth.ts";
import { constantOf, isFields, type Macro, parseQuery, readMacros, tableFunction } from "./query-tree.ts";
import { type QueryGrowth, readGrowth } from "./read-growth.ts";

/** A model that may have another recipe for histories longer than those of a slice. */
export interface LongCount {
    readonly model: string;
    /**
     * Where the other recipe may begin: a number that no slice counts to, or the line of SQL that holds a count against
     * the data; in the model itself or in what it is made from.
     */
    readonly limit: string;
}

/**
 * A slice counts far of a single column's busiest value. What was counted otherwise, of two values together or of one
 * that is not of the day, may be no more than so many rows: where it is compared with a number, and where it only meets
 * one, as a cap or a divisor.
 */
const lengths = { compared: 50, met: 100 } as const;

interface Counting {
    readonly warehouse: Warehouse;
    readonly compiled: CompiledProject;
    readonly sources: readonly Source[];
    /** Folder of the project. */
    readonly root: string;
    /** Models to look at. Default: all with `as_of`. */
    readonly names: ReadonlySet<string> | undefined;
    /** How far a slice counts at most, and the whole history, in rows. */
    readonly beyond: number;
    readonly upTo: number;
}

/**
 * Models that may tell a history that a slice does not hold by its length: which of two recipes gave a value cannot be
 * seen from the value. They hold what they count against a number over fifty, against the data, as in `count(*) > 30 *
 * weight`, or against the lengths of other histories, as in half of the longest. A query of which DuckDB makes no tree
 * may do so; so may a script, unless its author accepts the lint's `history-length`. Or they know a number which the
 * whole history may count to and a slice does not, wherever: in constants of a model, of macros and modules it uses, of
 * seeds and of models that are not compared themselves; in SQL `50 * 100` is 5,000. What else such a number may stand
 * for, a price or a distance, is not told apart.
 */
export async function longCounts(counting: Counting): Promise<readonly LongCount[]> {
    const { compiled, names } = counting;
    const audited = new Map(auditedModels(compiled).map((model) => [model.name, model]));
    const finder = new LimitFinder(counting, await readMacros(counting.warehouse));
    const counts: LongCount[] = [];
    for (const model of audited.values()) {
        if (names && !names.has(model.name)) continue;
        for (const node of withUncompared(model, compiled, new Set(audited.keys()))) {
            const limit = await finder.limitOf(node);
            if (limit === undefined) continue;
            counts.push({ model: model.name, limit });
            break;
        }
    }
    return counts;
}

/** Columns that tell events, or their days, apart. */
function eventColumns({ sources, compiled }: Counting): ReadonlySet<string> {
    const names = [
        ...clockedSources(sources).flatMap(({ group }) => [...group.keys, group.dateColumn]),
        ...auditedModels(compiled).map(({ config }) => config.asOf!),
    ];
    return new Set(names.map((name) => name.toLowerCase()));
}

/** Looks into each node once, and into each query. */
class LimitFinder {
    readonly #counting: Counting;
    readonly #macros: ReadonlyMap<string, Macro>;
    readonly #events: ReadonlySet<string>;
    readonly #limits = new Map<string, string | undefined>();
    readonly #trees = new Map<string, unknown>();
    readonly #growths = new Map<string, QueryGrowth>();

    constructor(counting: Counting, macros: ReadonlyMap<string, Macro>) {
        this.#counting = counting;
        this.#macros = macros;
        this.#events = eventColumns(counting);
    }

    async limitOf(node: CompiledNode): Promise<string | undefined> {
        if (!this.#limits.has(node.name)) {
            const { beyond, upTo } = this.#counting;
            const number = [...(await this.#numbers(node))].find((one) => one > beyond && one <= upTo);
            const limit = number === undefined ? await this.#limitInData(node) : String(number);
            this.#limits.set(node.name, limit);
        }
        return this.#limits.get(node.name);
    }

    async #numbers(node: CompiledNode): Promise<ReadonlySet<number>> {
        const { warehouse, root } = this.#counting;
        if (node.kind === "seed") return numbersOfSeed(warehouse, node.name);
        if (isScript(node)) return numbersOfScript(root, node.file);
        const numbers = new Set<number>();
        const queries = new Set([{ sql: node.sql, tree: await this.#parse(node.sql) }]);
        for (const { sql, tree } of queries)
            if (tree === undefined) for (const number of numbersInText(sql)) numbers.add(number);
            else
                collect(tree, numbers, (name) => {
                    const macro = this.#macros.get(name);
                    if (macro) queries.add(macro);
                });
        return numbers;
    }

    async #limitInData(node: CompiledNode): Promise<string | undefined> {
        if (node.kind === "seed") return undefined;
        if (isScript(node)) return hasNoLengths(node) ? undefined : "a script, which cannot be looked into";
        if ((await this.#parse(node.sql)) === undefined) return "a query that cannot be looked into";
        const [at] = (await this.#growthOf(node)).limits;
        return at === undefined ? undefined : lineAt(node.sql, at);
    }

    async #growthOf(node: CompiledNode): Promise<QueryGrowth> {
        const known = this.#growths.get(node.name);
        if (known) return known;
        const names = new Map<string, Growth>();
        for (const ref of node.refs) {
            const read = await this.#growthOf(this.#counting.compiled.nodes.get(ref)!);
            for (const [name, growth] of read.names) names.set(name, growth);
        }
        const { upTo } = this.#counting;
        const growth =
            node.kind === "seed" || isScript(node)
                ? { names, limits: [] }
                : readGrowth(await this.#parse(node.sql), {
                      names,
                      events: this.#events,
                      macros: this.#macros,
                      isLength: (number, isCompared) =>
                          number > (isCompared ? lengths.compared : lengths.met) && number <= upTo,
                  });
        this.#growths.set(node.name, growth);
        return growth;
    }

    async #parse(sql: string): Promise<unknown> {
        if (!this.#trees.has(sql)) this.#trees.set(sql, await parseQuery(this.#counting.warehouse, sql));
        return this.#trees.get(sql);
    }
}

/** Its author says so, with a reason. */
const hasNoLengths = ({ config }: CompiledModel) => config.acceptedLint?.["history-length"] !== undefined;

const isScript = (node: CompiledNode): node is CompiledModel =>
    node.kind === "model" && node.language === "typescript";

/** The line of a query that has this offset, or what is around it, as it can stand in a sentence. */
function lineAt(sql: string, at: number): string {
    const start = sql.lastIndexOf("\n", at - 1) + 1;
    const line = sql.slice(start).split("\n", 1)[0]!;
    const from = Math.max(0, Math.min(at - start - 50, line.length - 100));
    const shown = line.slice(from, from + 100).trim();
    return `${from > 0 ? "\u2026" : ""}${shown}${from + 100 < line.length ? "\u2026" : ""}`;
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

/** Adds the constants of a tree, of arithmetic on constants the result, and tells the functions it calls. */
function collect(tree: unknown, numbers: Set<number>, onCall: (name: string) => void): void {
    if (!isFields(tree)) return;
    const constant = constantOf(tree);
    if (constant !== undefined) {
        numbers.add(Math.abs(constant));
        return;
    }
    if (typeof tree.function_name === "string") onCall(tree.function_name);
    const called = tableFunction(tree);
    if (called) onCall(String(called.function_name));
    for (const part of Object.values(tree)) collect(part, numbers, onCall);
}

const comments = /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function numbersInText(text: string): ReadonlySet<number> {
    const found = text.replace(comments, "").matchAll(/(?<![\w.])\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)/gi);
    return new Set([...found].map(([number]) => Number(number.replaceAll("_", ""))));
}
