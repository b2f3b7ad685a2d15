import type { CompiledProject } from "../../compile/compiled.ts";
import { quoteName, quoteText } from "../../names.ts";
import type { Project } from "../../project/project.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { clockedSources, type EventGroup } from "./clocks.ts";
import { createWorld } from "./create-world.ts";
import type { Example } from "./differences.ts";
import { type EventRange, eventTable } from "./events.ts";
import type { Perturbation } from "./perturbation.ts";
import { rebuildModels } from "./rebuild-models.ts";
import { planReplay } from "./replay-plan.ts";
import { withInterrupt } from "./with-interrupt.ts";
import type { World } from "./world.ts";

/** The event without which, alone, the example's value would have been another one. */
export interface LeakOrigin {
    /**
     * `own`: the event of the row itself; `same-day`, `later`: another one; `several`: no single event, but those from
     * `day` on together; `order`: no event, but where source rows lie and what their surrogates are; `clock`: no event,
     * the value is one in the morning of the day and another one now; `unstable`: it differs when nothing is changed.
     */
    readonly kind: "own" | "same-day" | "later" | "several" | "order" | "clock" | "unstable";
    /** The source that dates the event. */
    readonly source?: string;
    readonly event?: Readonly<Record<string, string | null>>;
    readonly day?: string;
}

interface TraceOptions {
    readonly project: Project;
    readonly compiled: CompiledProject;
    readonly warehouse: Warehouse;
    readonly day: string;
    readonly perturbation: Perturbation;
    readonly seed: number;
    readonly signal: AbortSignal;
    readonly model: string;
    readonly example: Example;
    /** Of performance.now(): when to give up. */
    readonly deadline: number;
}

/**
 * Looks for the event that leaked into an example: first the row's own, then the others of the day, then later ones,
 * each time halving those whose change still moves the value. Gives up when the time is over. What differed with its
 * sources reordered is looked for in their own order: if no event moves it there, the order does.
 */
export async function traceLeak(options: TraceOptions): Promise<LeakOrigin | undefined> {
    const { project, deadline, example, perturbation } = options;
    const groups = [...new Set(clockedSources(project.sources).map(({ group }) => group))];
    const first = groups[0];
    if (!first) return undefined;
    const nothing = { table: first.table, from: 0, to: 0 };
    const trial = (range: EventRange) => differsWith(options, { only: range }, groups);
    const control = await trial(nothing);
    if (control.differs) {
        // The full build's own value says nothing: what runs with the clock is another one by now.
        const again = await trial(nothing);
        if (again.value !== control.value) return { kind: "unstable" };
        const now = await differsWith(options, { only: nothing, isClockKept: true }, groups);
        if (now.value !== control.value) return { kind: "clock" };
        // Rows of any world lie elsewhere than those of the full build.
        return { kind: perturbation === "reordered" ? "order" : "unstable" };
    }
    for (const group of groups) {
        const counts = control.counts.get(group.table)!;
        const own = counts.own;
        const describe = async (number: number, kind: LeakOrigin["kind"]) => ({
            kind,
            source: group.dated.name,
            ...(await eventOf(options, group, number)),
        });
        if (own > 0 && (await trial({ table: group.table, from: own, to: own + 1 })).differs)
            return describe(own, "own");
        for (const [from, to, kind] of [
            [1, counts.onDay + 1, "same-day"],
            [counts.onDay + 1, counts.all + 1, "later"],
        ] as const) {
            if (from >= to || !(await trial({ table: group.table, from, to })).differs) continue;
            let [low, high] = [from as number, to as number];
            while (high - low > 1 && performance.now() < deadline) {
                const middle = Math.floor((low + high) / 2);
                if ((await trial({ table: group.table, from: low, to: middle })).differs) high = middle;
                else if ((await trial({ table: group.table, from: middle, to: high })).differs) low = middle;
                else break;
            }
            if (high - low === 1) return describe(low, kind);
            const event = await eventOf(options, group, low);
            return {
                kind: "several",
                source: group.dated.name,
                day: event.day ?? example.day ?? options.day,
            };
        }
    }
    return perturbation === "reordered" ? { kind: "order" } : undefined;
}

/** What changes events and nothing else. */
const inPlace = (perturbation: Perturbation) => (perturbation === "reordered" ? "cut" : perturbation);

interface Trial {
    /** The example's, as text; null where there is no such row. */
    readonly value: string | null;
    /** From that of the full build. */
    readonly differs: boolean;
    readonly counts: ReadonlyMap<
        string,
        { readonly all: number; readonly onDay: number; readonly own: number }
    >;
}

/** Whether the example's row is another one when only these events are changed. */
async function differsWith(
    options: TraceOptions,
    changes: Pick<World, "only" | "isClockKept">,
    groups: readonly EventGroup[],
): Promise<Trial> {
    const { project, compiled, warehouse, day, perturbation, model, example, signal } = options;
    const plan = planReplay(compiled, project.sources, perturbation, new Set([model]));
    return warehouse.scratch((scratch, base) =>
        withInterrupt(scratch, signal, async () => {
            await createWorld(scratch, {
                ...options,
                sources: project.sources,
                base,
                perturbation: inPlace(perturbation),
                ...changes,
            });
            let found: string | null = null;
            await rebuildModels(
                {
                    scratch,
                    base,
                    project,
                    compiled,
                    plan,
                    signal,
                    ...(!changes.isClockKept && { morning: day }),
                },
                async (node, relationOf) => {
                    const models = [
                        node.name,
                        ...(node.config.movesFrom === undefined ? [] : [node.config.movesFrom]),
                    ];
                    const wanted = Object.entries(example.key).map(([name, value]) =>
                        value === null
                            ? `${quoteName(name)} is null`
                            : `${quoteName(name)}::varchar = ${quoteText(value)}`,
                    );
                    const value =
                        example.column === undefined ? "'a row'" : `${quoteName(example.column)}::varchar`;
                    const values = models.map(
                        (name) =>
                            `select ${value} as value from ${relationOf(name)} where ${wanted.join(" and ") || "false"}`,
                    );
                    const rows = await scratch.rows(`select value from (${values.join(" union all ")})`);
                    found = rows.length === 0 ? null : (rows[0]!.value as string | null);
                },
            );
            const counts = new Map<string, { all: number; onDay: number; own: number }>();
            for (const group of groups) {
                const isOwn = group.keys.every((key) => key in example.key)
                    ? group.keys
                          .map((key) => `${quoteName(key)}::varchar = ${quoteText(example.key[key] ?? "")}`)
                          .join(" and ")
                    : "false";
                const [row] = await scratch.rows(`
                select
                    max(replay_number) as "all",
                    coalesce(max(replay_number) filter (where replay_day = ${quoteText(options.day)}), 0) as on_day,
                    coalesce(max(replay_number) filter (where ${isOwn}), 0) as own,
                from ${eventTable(group)}`);
                counts.set(group.table, {
                    all: Number(row!.all),
                    onDay: Number(row!.on_day),
                    own: Number(row!.own),
                });
            }
            return { value: found, differs: found !== example.full, counts };
        }),
    );
}

/** The keys and day of an event by its number, which is the same in every world of the same day and seed. */
async function eventOf(options: TraceOptions, group: EventGroup, number: number) {
    const { project, warehouse } = options;
    return warehouse.scratch(async (scratch, base) => {
        const perturbation = inPlace(options.perturbation);
        await createWorld(scratch, { ...options, sources: project.sources, base, perturbation });
        const keys = group.keys.map((key) => `${quoteName(key)}::varchar as ${quoteName(key)}`);
        const [row] = await scratch.rows(
            `select replay_day::varchar as "of day", ${keys.join(", ")} from ${eventTable(group)} where replay_number = ${number}`,
        );
        const { "of day": day, ...event } = row!;
        return { event: event as Record<string, string | null>, day: String(day) };
    });
}
