import { columnOf, type Group, isGroup, isWord, type SqlNode, splitAtCommas } from "./sql-tree.ts";

/** Where an end of a frame lies: before the row, at it or its day, or after it. */
export type Bound = "before" | "at" | "after";

export interface Frame {
    readonly unit: "rows" | "range" | "groups";
    readonly start: Bound;
    readonly end: Bound;
    /** `exclude group`: the row and its ties are left out. */
    readonly excludesTies: boolean;
    readonly offset: number;
}

export interface OrderItem {
    /** Absent for an expression. */
    readonly column?: string;
    readonly descending: boolean;
}

export interface WindowSpec {
    /** Columns of `partition by`; expressions are left out, which makes the partition seem larger than it is. */
    readonly partition: readonly string[];
    readonly order: readonly OrderItem[];
    readonly frame?: Frame;
    readonly offset: number;
}

/** What stands in `over (...)`, or behind a name in the window clause. */
export function readWindowSpec(group: Group, named: ReadonlyMap<string, WindowSpec> = new Map()): WindowSpec {
    const { items } = group;
    const find = (word: string, next?: string) =>
        items.findIndex((node, at) => isWord(node, word) && (!next || isWord(items[at + 1], next)));
    const partition = find("partition", "by");
    const order = find("order", "by");
    const frame = items.findIndex((node) => isWord(node, "rows", "range", "groups"));
    const end = (from: number) =>
        Math.min(...[order, frame, items.length].filter((at) => at > from && at >= 0));
    const [first] = items;
    const base = first?.kind === "word" || first?.kind === "name" ? named.get(first.text) : undefined;
    const ownFrame = frame < 0 ? undefined : readFrame(items.slice(frame));
    const readFrom = ownFrame ?? base?.frame;
    return {
        partition:
            partition < 0
                ? (base?.partition ?? [])
                : splitAtCommas(items.slice(partition + 2, end(partition))).flatMap(
                      (part) => columnOf(part) ?? [],
                  ),
        order: order < 0 ? (base?.order ?? []) : readOrder(items.slice(order + 2, end(order))),
        ...(readFrom && { frame: readFrom }),
        offset: group.offset,
    };
}

export function readOrder(nodes: readonly SqlNode[]): readonly OrderItem[] {
    return splitAtCommas(nodes).map((part) => {
        const direction = part.findIndex((node) => isWord(node, "asc", "desc", "nulls"));
        const column = columnOf(direction < 0 ? part : part.slice(0, direction));
        return {
            ...(column !== undefined && { column }),
            descending: part.some((node) => isWord(node, "desc")),
        };
    });
}

function readFrame(nodes: readonly SqlNode[]): Frame {
    const [unit, second] = nodes;
    const exclude = nodes.findIndex((node) => isWord(node, "exclude"));
    const bounds = exclude < 0 ? nodes.slice(1) : nodes.slice(1, exclude);
    const and = bounds.findIndex((node) => isWord(node, "and"));
    const isBetween = isWord(second, "between") && and > 0;
    return {
        unit: (unit as { text: Frame["unit"] }).text,
        start: readBound(isBetween ? bounds.slice(1, and) : bounds),
        end: isBetween ? readBound(bounds.slice(and + 1)) : "at",
        excludesTies: exclude >= 0 && isWord(nodes[exclude + 1], "group"),
        offset: unit!.offset,
    };
}

/** `interval 1 day preceding`, `9 preceding`, `unbounded following`; a distance of nothing is the row itself. */
function readBound(nodes: readonly SqlNode[]): Bound {
    const last = nodes.at(-1);
    const numbers = nodes.flatMap(numbersIn);
    const isNothing = numbers.length > 0 && numbers.every((number) => number === 0);
    if (isNothing || !isWord(last, "preceding", "following")) return "at";
    return isWord(last, "preceding") ? "before" : "after";
}

function numbersIn(node: SqlNode): readonly number[] {
    if (isGroup(node)) return node.items.flatMap(numbersIn);
    if (node.kind !== "number" && node.kind !== "text") return [];
    return node.text.match(/\d+(\.\d+)?/g)?.map(Number) ?? [];
}

/** The frame as it lies in time: ordered backwards, what precedes is later. */
export function inTime(frame: Frame, order: readonly OrderItem[]): Frame {
    if (!order[0]?.descending) return frame;
    const turn = { before: "after", at: "at", after: "before" } as const;
    return { ...frame, start: turn[frame.end], end: turn[frame.start] };
}
