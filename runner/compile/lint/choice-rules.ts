import type { Call } from "./calls.ts";
import type { RawFinding } from "./frame-rules.ts";
import type { Select } from "./read-select.ts";
import { isUnique, isUniqueInGroup } from "./row-keys.ts";
import { columnOf, splitAtCommas } from "./sql-tree.ts";
import { type OrderItem, readOrder, type WindowSpec } from "./window-spec.ts";

const picks = new Set(["first", "last", "any_value", "arbitrary", "mode"]);
const lists = new Set(["list", "array_agg", "string_agg", "group_concat", "listagg"]);
const ranked = new Set(["arg_min", "arg_max", "argmin", "argmax", "min_by", "max_by"]);
/** Window functions that choose or number rows; `rank` and its kin give ties the same value. */
const numbering = new Set(["row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"]);
const clocks = new Set([
    ...["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"],
    ...["now", "today", "get_current_time", "get_current_timestamp", "transaction_timestamp"],
]);
const chances = new Set(["random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "setseed"]);

/**
 * Values that depend on how rows lie, on the clock or on chance: another one at the next run, or the outcome itself.
 */
export function choiceFindings(select: Select, calls: readonly Call[]): readonly RawFinding[] {
    return [...calls.flatMap((call) => callFindings(call, select)), ...selectFindings(select)];
}

/** Of text that is no query, such as a DuckDB macro. */
export function callFindings(call: Call, select: Select): readonly RawFinding[] {
    const { name, offset, args, argsOrder, window } = call;
    if (clocks.has(name) && !isBareName(call)) {
        return [
            {
                rule: "clock",
                offset,
                message: `${name} is another value at the next run: take a date of the data`,
            },
        ];
    }
    if (chances.has(name) && !isBareName(call)) {
        return [{ rule: "random", offset, message: `${name} is another value at the next run` }];
    }
    if (window && (numbering.has(name) || picks.has(name))) return windowFindings(call, window, select);
    if (window) return window.frame?.unit === "rows" ? rowsFindings(window, select) : [];
    if (args.length === 0) return [];
    if ((picks.has(name) || lists.has(name)) && !argsOrder) {
        const message = `${name} takes rows as they lie, and results lie in finishing order: write ${name}(... order by ...) with an order that is unique`;
        return [{ rule: "unordered-pick", offset, message }];
    }
    const order = ranked.has(name)
        ? [{ ...columnItem(splitAtCommas(args)[1] ?? []), descending: false }]
        : argsOrder;
    if (!order || !(picks.has(name) || lists.has(name) || ranked.has(name))) return [];
    const columns = [...(select.groupBy ?? []), ...columnsOf(order)];
    return isUniqueInGroup(columns, select.relations) ? [] : [tie(name, offset, order)];
}

/** A clock or a chance needs its parentheses, but for SQL's own words: a column may be called today. */
function isBareName({ name, args, isBare }: Call): boolean {
    return isBare && args.length === 0 && !/^(current|local)/.test(name);
}

function windowFindings({ name, offset }: Call, window: WindowSpec, select: Select): readonly RawFinding[] {
    if (window.order.length === 0) {
        const message = `${name} without an order takes rows as they lie`;
        return [{ rule: "unordered-pick", offset, message }];
    }
    return isUnique([...window.partition, ...columnsOf(window.order)], select.relations)
        ? []
        : [tie(name, offset, window.order)];
}

/** Which of two tied rows is within a frame of rows is not said. */
function rowsFindings(window: WindowSpec, select: Select): readonly RawFinding[] {
    const { frame, order, partition } = window;
    if (isUnique([...partition, ...columnsOf(order)], select.relations)) return [];
    return [tie("this frame of rows", frame!.offset, order)];
}

function selectFindings({ clauses, relations, distinctOn, groupBy }: Select): readonly RawFinding[] {
    const found: RawFinding[] = [];
    const order = readOrder(clauses.get("order") ?? []);
    const at = (clause: "limit" | "select" | "using") => clauses.get(clause)?.[0]?.offset ?? 0;
    const check = (what: string, offset: number, columns: readonly string[]) => {
        if (order.length === 0) {
            found.push({
                rule: "unordered-pick",
                offset,
                message: `${what} without an order takes rows as they lie`,
            });
        } else if (!isUnique([...columns, ...columnsOf(order)], groupBy ? [[groupBy]] : relations)) {
            found.push(tie(what, offset, order));
        }
    };
    if (clauses.has("limit")) check("limit", at("limit"), []);
    if (distinctOn) check("distinct on", at("select"), distinctOn);
    if (clauses.has("using")) {
        found.push({
            rule: "random",
            offset: at("using"),
            message: "a sample is another one at the next run",
        });
    }
    return found;
}

function columnsOf(order: readonly OrderItem[]): readonly string[] {
    return order.flatMap(({ column }) => column ?? []);
}

function columnItem(nodes: Parameters<typeof columnOf>[0]): { readonly column?: string } {
    const column = columnOf(nodes);
    return column === undefined ? {} : { column };
}

function tie(what: string, offset: number, order: readonly OrderItem[]): RawFinding {
    const by = order.map(({ column }) => column ?? "an expression").join(", ") || "nothing";
    const message = `${what} orders by ${by}, which is not shown to be unique: among ties the row that lies first is taken, and results lie in finishing order; end the order with a key (grain, primary_key or a unique test tell the lint what is one)`;
    return { rule: "tie-break", offset, message };
}
