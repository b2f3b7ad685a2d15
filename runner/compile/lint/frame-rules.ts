import type { LintRule } from "../../project/lint-rules.ts";
import type { Call } from "./calls.ts";
import type { Select } from "./read-select.ts";
import { isUnique } from "./row-keys.ts";
import { inTime, type WindowSpec } from "./window-spec.ts";

export interface RawFinding {
    readonly rule: LintRule;
    /** Characters from the beginning of the compiled SQL. */
    readonly offset: number;
    readonly message: string;
}

/** Functions whose result does not depend on the frame. */
const frameless = new Set([
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
]);

/** What a window of a model with `as_of` can see that it should not: the row itself, its day, what comes after. */
export function frameFindings(select: Select, calls: readonly Call[], asOf: string): readonly RawFinding[] {
    return calls.flatMap(({ name, window, offset }): readonly RawFinding[] => {
        if (!window || window.order.length === 0) return [];
        if (name === "lag" || name === "lead") {
            const isAhead = (name === "lead") !== window.order[0]!.descending;
            if (isAhead) return [{ rule: "reads-ahead", offset, message: ahead(name) }];
            if (isOneADay(window, select, asOf)) return [];
            return [{ rule: "frame-not-by-day", offset, message: notByDay(name, window, asOf) }];
        }
        return frameless.has(name) ? [] : frameFinding(window, select, asOf);
    });
}

function frameFinding(window: WindowSpec, select: Select, asOf: string): readonly RawFinding[] {
    if (!window.frame) {
        const message = `a window with an order and no frame ends with the row itself and its ties: say \`range between unbounded preceding and interval 1 day preceding\``;
        return [{ rule: "default-frame", offset: window.offset, message }];
    }
    const frame = inTime(window.frame, window.order);
    const { offset } = window.frame;
    if (frame.end === "after") return [{ rule: "reads-ahead", offset, message: ahead("this frame") }];
    const isByDate = window.order.length === 1 && window.order[0]?.column === asOf;
    if (frame.end === "at") {
        if (frame.excludesTies && isByDate) return [];
        const message = `this frame ends with the row itself or its day, whose outcomes are not known on the morning of ${asOf}: end it at \`interval 1 day preceding\``;
        return [{ rule: "current-row", offset, message }];
    }
    if (frame.unit === "rows" ? isOneADay(window, select, asOf) : isByDate) return [];
    return [{ rule: "frame-not-by-day", offset, message: notByDay("this frame", window, asOf) }];
}

/** Whether the window's partition has one row a day, so that the row before is of a day before. */
function isOneADay(window: WindowSpec, { relations }: Select, asOf: string): boolean {
    return window.order[0]?.column === asOf && isUnique([...window.partition, asOf], relations);
}

function ahead(what: string): string {
    return `${what} reads rows that come after this one`;
}

function notByDay(what: string, { order }: WindowSpec, asOf: string): string {
    const by = order.map(({ column }) => column ?? "an expression").join(", ");
    return `${what} ends before the row, not before its day: ordered by ${by}, the row before can be of the same ${asOf}; take \`range\` by ${asOf} up to \`interval 1 day preceding\`, or rows grouped by day first`;
}
