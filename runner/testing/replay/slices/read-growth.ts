import {
    Breadth,
    constant,
    count,
    data,
    either,
    type Growth,
    isConstant,
    isLimit,
    isLong,
    power,
    product,
    sum,
} from "./growth.ts";
import { constantOf, type Fields, fold, isFields, type Macro, powers, tableFunction } from "./query-tree.ts";

export interface GrowthOptions {
    /** Columns by name, of what the query reads; its own are added. */
    readonly names: ReadonlyMap<string, Growth>;
    /** Columns that tell events or their days apart: what is counted for each of them does not grow. */
    readonly events: ReadonlySet<string>;
    readonly macros: ReadonlyMap<string, Macro>;
    /** Numbers that are a length when what grows is held against them. */
    readonly isLength: (number: number, isCompared: boolean) => boolean;
}

export interface QueryGrowth {
    readonly names: ReadonlyMap<string, Growth>;
    /** Where the length of a history is held against a length, or against the data, as offsets in the query's text. */
    readonly limits: readonly number[];
}

/**
 * What of a query grows with a history, and where that meets a limit: a number that is a length, or something that the
 * data tell. By name: a column that is called as one that grows is taken for it.
 */
export function readGrowth(tree: unknown, options: GrowthOptions): QueryGrowth {
    const reader = new GrowthReader(options);
    return reader.read(tree);
}

/** Of more rows, another power. */
const counting = new Set([
    ..."count count_star count_if countif sum fsum kahan_sum sumkahan sum_no_overflow product".split(" "),
    ..."list array_agg string_agg group_concat listagg histogram approx_count_distinct".split(" "),
    ..."row_number rank dense_rank rank_dense".split(" "),
]);

/** Of several values, one that says something of them all. */
const summarizing =
    /^(max|min|avg|mean|favg|median|mode|quantile.*|percentile_.*|arg_m.*|m(ax|in)_by|any_value|arbitrary|mad|std.*|var.*)$/;

/** A row's share of the way through all rows in their order. */
const placing = new Set("percent_rank cume_dist ntile".split(" "));

/** Functions that hold one value against another, or against whole numbers. */
const limiting = new Set([
    ..."greatest least sign floor ceil ceiling trunc // % mod fmod divide".split(" "),
    ..."list_extract list_element array_extract list_slice array_slice".split(" "),
]);

const terms = new Set("+ - * /".split(" "));

class GrowthReader {
    readonly #names: Map<string, Growth>;
    readonly #options: GrowthOptions;
    /** Macros that are being looked into. */
    readonly #open: string[] = [];
    /** Of the macro or lambda that is being looked into. */
    #parameters: ReadonlyMap<string, Growth> = new Map();
    /** Of the rows that are counted together; undefined: they are those of one event. */
    #breadth: Breadth | undefined = Breadth.own;
    #limits = new Set<number>();

    constructor(options: GrowthOptions) {
        this.#options = options;
        this.#names = new Map(options.names);
    }

    /** Until no column is found to grow that did not: a query may read one that is written further down. */
    read(tree: unknown): QueryGrowth {
        let before: string;
        do {
            before = this.#state();
            this.#limits = new Set();
            this.#walk(tree);
        } while (before !== this.#state());
        return { names: this.#names, limits: [...this.#limits] };
    }

    #state(): string {
        return JSON.stringify([...this.#names]);
    }

    #walk(part: unknown): void {
        if (!isFields(part)) return;
        if (isQuery(part)) {
            this.#query(part);
            return;
        }
        if (typeof part.class === "string") {
            this.#of(part);
            return;
        }
        // A common table, or a query in place of one, whose columns have names of their own.
        const { aliases, query, column_name_alias, subquery } = part;
        const inner = (isFields(query) ? query : isFields(subquery) ? subquery : {}).node;
        if (isFields(inner)) {
            this.#name((aliases ?? column_name_alias ?? []) as readonly string[], this.#query(inner));
            return;
        }
        const called = tableFunction(part);
        if (called) this.#call(called);
        // Of a limit of rows.
        for (const limit of [part.limit, part.offset])
            if (isFields(limit) && limit.class && !isConstant(this.#of(limit))) this.#tell(limit);
        for (const one of Object.values(part)) this.#walk(one);
    }

    /** Of its columns. */
    #query(node: Fields | undefined): readonly Growth[] {
        if (!node) return [];
        if (node.type === "SELECT_NODE") return this.#select(node);
        const { left, right, ...others } = node;
        for (const one of Object.values(others)) this.#walk(one);
        if (!isFields(left) || !isFields(right)) return [];
        const [upper, lower] = [this.#query(left), this.#query(right)];
        const growths = upper.map((growth, index) => either([growth, lower[index] ?? constant]));
        this.#name(columnNames(left), growths);
        return growths;
    }

    #select(node: Fields): readonly Growth[] {
        const { cte_map, from_table, select_list, group_expressions, ...others } = node;
        const items = select_list as readonly Fields[];
        const outer = this.#breadth;
        this.#walk(cte_map);
        this.#walk(from_table);
        const groups = [
            ...(group_expressions as readonly Fields[]),
            // group by all
            ...(node.aggregate_handling === "FORCE_AGGREGATES" ? items : []),
        ];
        const isOfEvent = this.#tellEvents(groups) && !this.#joinsEvents([from_table, node.where_clause]);
        this.#breadth = isOfEvent ? undefined : breadthOf(groups);
        const growths = items.map((item) => this.#of(item));
        this.#name(columnNames(node), growths);
        this.#walk(group_expressions);
        for (const one of Object.values(others)) this.#walk(one);
        this.#breadth = outer;
        return growths;
    }

    #name(names: readonly (string | undefined)[], growths: readonly Growth[]): void {
        for (const [index, name] of names.entries()) {
            const growth = growths[index];
            if (name === undefined || growth === undefined || !isLong(growth)) continue;
            const known = this.#names.get(name.toLowerCase()) ?? constant;
            this.#names.set(name.toLowerCase(), either([growth, known]));
        }
    }

    /** Of an expression; what is in it is looked at on the way. */
    #of(part: unknown): Growth {
        if (!isFields(part) || typeof part.class !== "string") return constant;
        const all = (parts: unknown) => (parts as readonly unknown[]).map((one) => this.#of(one));
        switch (part.class) {
            case "CONSTANT":
                return { ...constant, value: constantOf(part) };
            case "COLUMN_REF": {
                const name = nameOf(part)!;
                return this.#parameters.get(name) ?? this.#names.get(name) ?? data;
            }
            case "CAST":
                return this.#of(part.child);
            case "COMPARISON":
                return isMatch(part) ? data : this.#compare(part, all([part.left, part.right]));
            case "BETWEEN":
                return this.#compare(part, all([part.input, part.lower, part.upper]));
            case "CASE":
                return this.#case(part);
            case "OPERATOR":
                return this.#operator(part, all(part.children));
            case "SUBQUERY":
                return this.#subquery(part);
            case "WINDOW":
                return this.#window(part, all(part.children));
            case "FUNCTION":
                return this.#function(part);
            default:
                // Columns in place of others of a star.
                for (const { key, value } of (part.replace_list ?? []) as readonly Fields[])
                    this.#name([String(key)], [this.#of(value)]);
                for (const inner of Object.values(part)) this.#walk(inner);
                return data;
        }
    }

    /** Conditions say which value, and are none; which of two constants, the data tell. */
    #case({ case_checks, else_expr }: Fields): Growth {
        const checks = case_checks as readonly Fields[];
        for (const { when_expr } of checks) this.#of(when_expr);
        const values = [...checks.map(({ then_expr }) => this.#of(then_expr)), this.#of(else_expr)];
        const isChoice = new Set(values.map(({ value }) => value)).size > 1;
        return isChoice && values.every(isConstant) ? data : either(values);
    }

    #compare(part: Fields, values: readonly Growth[]): Growth {
        this.#hold(part, values, true);
        return data;
    }

    /** Looks for a limit where values are held against each other. */
    #hold(part: Fields, values: readonly Growth[], isCompared = false): void {
        if (isLimit(values)) this.#tell(part);
        this.#measure(part, values, isCompared);
    }

    /** Looks for a length where what grows meets a number: compared with it, or less it, or divided by it. */
    #measure(part: Fields, values: readonly Growth[], isCompared = false): void {
        const isLength = (number: number) => this.#options.isLength(number, isCompared);
        const numbers = values.map(({ value }) => Math.abs(value ?? 0));
        const grows = values.some(({ power }) => power !== 0);
        if (grows && numbers.some((number) => isLength(number) || isLength(1 / number))) this.#tell(part);
    }

    #operator(part: Fields, values: readonly Growth[]): Growth {
        const type = String(part.type);
        if (type.startsWith("COMPARE_")) return this.#compare(part, values);
        if (type.startsWith("ARRAY_")) this.#hold(part, values);
        return /NOT|NULL$/.test(type) ? data : either(values);
    }

    #subquery(part: Fields): Growth {
        const [growth = data] = this.#query((part.subquery as { readonly node: Fields }).node);
        if (part.child) return this.#compare(part, [this.#of(part.child), growth]);
        return part.subquery_type === "SCALAR" ? growth : data;
    }

    #window(part: Fields, values: readonly Growth[]): Growth {
        const { partitions, orders, arg_orders, filter_expr } = part;
        for (const inner of [partitions, orders, arg_orders, filter_expr]) this.#walk(inner);
        for (const inner of [part.start_expr, part.end_expr])
            if (!isConstant(this.#of(inner))) this.#tell(part);
        const name = String(part.function_name);
        // How many rows away.
        const offset = name === "nth_value" ? values[1] : this.#of(part.offset_expr);
        this.#hold(part, [count, offset ?? constant]);
        const columns = partitions as readonly Fields[];
        const breadth = this.#tellEvents(columns) ? undefined : breadthOf(columns);
        const places = orders as readonly { readonly expression: unknown }[];
        if (
            placing.has(name) &&
            breadth !== undefined &&
            places.some(({ expression }) => isLong(this.#of(expression)))
        )
            return { ...data, isMixed: true };
        const isRows = [part.start, part.end].every((end) =>
            /^(EXPR_.*|CURRENT_ROW)_ROWS$/.test(String(end)),
        );
        return isRows && counting.has(name) ? data : aggregate(name, values, breadth);
    }

    #function(part: Fields): Growth {
        const name = String(part.function_name);
        const called = this.#call(part);
        if (called !== undefined) return called;
        const values = this.#arguments(part.children as readonly Fields[]);
        this.#walk(part.filter);
        this.#walk(part.order_bys);
        return {
            ...this.#apply(part, values),
            value: fold(
                name,
                values.map(({ value }) => value),
            ),
        };
    }

    #apply(part: Fields, values: readonly Growth[]): Growth {
        const name = String(part.function_name);
        if (limiting.has(name)) {
            this.#hold(part, values);
            // It grows as far as a constant lets it.
            return name === "least" && values.some(isConstant) ? data : sum(values);
        }
        if (powers.has(name)) return power(values);
        if (!terms.has(name)) return aggregate(name, values, this.#breadth);
        // Added to a count a constant dampens it, and is no length.
        if (name !== "+" || values.some(({ value }) => (value ?? 0) < 0)) this.#measure(part, values);
        if (name === "*" || name === "/") return product(values, name === "*" ? 1 : -1);
        return sum(values);
    }

    /** What a lambda is given are the items of the lists beside it. */
    #arguments(children: readonly Fields[]): readonly Growth[] {
        const isLambda = (child: Fields) => child.class === "LAMBDA";
        const lists = children.filter((child) => !isLambda(child)).map((child) => this.#of(child));
        const items = either(lists);
        return [
            ...lists,
            ...children
                .filter(isLambda)
                .map(({ lhs, expr }) =>
                    this.#with(new Map(columnsIn(lhs).map((name) => [name, items])), () => this.#of(expr)),
                ),
        ];
    }

    #with<T>(parameters: ReadonlyMap<string, Growth>, read: () => T): T {
        const outer = this.#parameters;
        this.#parameters = new Map([...outer, ...parameters]);
        const value = read();
        this.#parameters = outer;
        return value;
    }

    /** Of what a macro gives for its arguments; undefined for another function. */
    #call(part: Fields): Growth | undefined {
        const name = String(part.function_name);
        const macro = this.#options.macros.get(name);
        if (!macro || this.#open.includes(name)) return undefined;
        const values = this.#arguments(part.children as readonly Fields[]);
        const parameters = new Map(
            macro.parameters.map((parameter, index) => [parameter.toLowerCase(), values[index] ?? data]),
        );
        this.#open.push(name);
        const limits = this.#limits;
        this.#limits = new Set();
        const [statement] = (macro.tree ?? []) as readonly { readonly node: Fields }[];
        const [growth = data] = this.#with(parameters, () => this.#query(statement?.node));
        const isTold = this.#limits.size > 0;
        this.#limits = limits;
        // In the macro's text no one would look.
        if (isTold) this.#tell(part);
        this.#open.pop();
        return growth;
    }

    /** Whether rows of several events meet, as of the days before: `a.day < b.day`. */
    #joinsEvents(part: unknown): boolean {
        if (!isFields(part)) return false;
        const { class: kind, type, left, right, input, lower, upper } = part;
        const sides = kind === "BETWEEN" ? [input, [lower, upper]] : [left, right];
        const isRange = kind === "BETWEEN" || (kind === "COMPARISON" && /THAN/.test(String(type)));
        if (isRange && sides.every((side) => columnsIn(side).some((name) => this.#options.events.has(name))))
            return true;
        return Object.values(part).some((inner) => this.#joinsEvents(inner));
    }

    #tellEvents(columns: readonly Fields[]): boolean {
        return columns.some((column) => this.#options.events.has(nameOf(column) ?? ""));
    }

    #tell(part: Fields): void {
        this.#limits.add(placeOf(part) ?? 0);
    }
}

/** Where it stands in the query, or the first of its parts of which that is known. */
function placeOf(part: Fields): number | undefined {
    const place = Number(part.query_location);
    if (Number.isSafeInteger(place)) return place;
    for (const inner of Object.values(part)) {
        const found = isFields(inner) ? placeOf(inner) : undefined;
        if (found !== undefined) return found;
    }
    return undefined;
}

const breadthOf = (groups: readonly Fields[]) => (groups.length === 0 ? Breadth.all : Breadth.own);

/** Of a function of rows that are taken together. */
function aggregate(name: string, values: readonly Growth[], breadth: Breadth | undefined): Growth {
    if (counting.has(name)) return breadth === undefined ? data : { ...count, breadth };
    const growth = either(values);
    const isSummary = breadth !== undefined && growth.power !== 0 && summarizing.test(name);
    return isSummary ? { ...growth, breadth: Breadth.several } : growth;
}

/** Names of columns, as of a lambda's parameters: one, or a row of them. */
function columnsIn(part: unknown): readonly string[] {
    if (!isFields(part)) return [];
    const name = nameOf(part);
    return name === undefined ? Object.values(part).flatMap(columnsIn) : [name];
}

const isQuery = ({ type }: Fields) => /_NODE$/.test(String(type));

/** Of a query's columns, where they have any: those of the upper part of a union. */
function columnNames({ select_list, left }: Fields): readonly (string | undefined)[] {
    if (isFields(left)) return columnNames(left);
    return ((select_list ?? []) as readonly Fields[]).map((item) =>
        item.alias ? String(item.alias) : nameOf(item),
    );
}

/** Two columns are the same or not: rows are matched, and nothing is measured. */
function isMatch({ type, left, right }: Fields): boolean {
    const isColumn = [left, right].every((side) => (side as Fields).class === "COLUMN_REF");
    return isColumn && /EQUAL$|DISTINCT/.test(String(type)) && !/THAN/.test(String(type));
}

/** Of a column, without its table. */
function nameOf({ class: kind, column_names }: Fields): string | undefined {
    return kind === "COLUMN_REF" ? (column_names as readonly string[]).at(-1)!.toLowerCase() : undefined;
}
