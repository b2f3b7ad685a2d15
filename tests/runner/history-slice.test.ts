import { describe, expect, test } from "vitest";
import type { CompiledProject } from "../../runner/compile/compiled.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { auditReport } from "../../runner/testing/replay/audit-report.ts";
import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";
import { planJobs } from "../../runner/testing/replay/plan-jobs.ts";
import { runAudit } from "../../runner/testing/replay/run-audit.ts";
import { withHistorySlice } from "../../runner/testing/replay/slices/history-slice.ts";
import { sliceDepth } from "../../runner/testing/replay/slices/slice-rows.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { type ShopModel, shopProject } from "./build-fixture.ts";
import { asOfModel, tinySources, withTinyBuild } from "./replay-fixture.ts";
import { clean, leaks } from "./replay-models.ts";

/** Four hundred days before those of the tiny world, in which its horses ran too, now and then. */
const past = [
    "insert into sources.races select 1000 + i, date '2023-01-01' + (i // 2)::integer, 100 + i % 7, timestamp '2024-06-01' from range(800) races(i)",
    `insert into sources.entries
        select 10000 + i * 4 + gate, 1000 + i, if(gate = 0, 'h' || i % 97, 'g' || i % 211 || '_' || gate), 50 + gate, gate + 1, 'FINISHED'
        from range(800) races(i), range(4) gates(gate)`,
    "insert into sources.entries values (99999, null, 'nobody', 50, null, null)",
];
const sources = tinySources.map((source) =>
    source.name === "entries" ? { ...source, entities: ["horse"] } : source,
);
const project = { ...shopProject("/nowhere"), sources };
const day = "2024-03-06";
const size = 60;
const signal = new AbortController().signal;

/** The tiny world after a long past, and models in it. */
const withLongBuild = <T>(
    models: Readonly<Record<string, ShopModel>>,
    callback: (warehouse: Warehouse, compiled: CompiledProject) => Promise<T>,
) => withTinyBuild(models, past, callback);

function audit(
    models: Readonly<Record<string, ShopModel>>,
    named: readonly Perturbation[] = ["cut"],
    events: RunEvent[] = [],
) {
    return withLongBuild(models, (warehouse, compiled) =>
        runAudit({
            project,
            compiled,
            warehouse,
            plan: named.map((perturbation) => ({ day, why: "named", perturbation })),
            slice: size,
            seed: 1,
            traceSeconds: 30,
            report: (event) => events.push(event),
            signal,
        }),
    );
}

describe("a slice of the history", () => {
    test("holds the day, what its entities did before and after, and the days around it", async () => {
        await withLongBuild({ starts: asOfModel("weight") }, (warehouse, compiled) =>
            withHistorySlice({ project, compiled, warehouse, day, size, seed: 1, signal }, async (slice) => {
                expect(slice).toMatchObject({ ofEvents: 822, failures: new Map() });
                expect(slice.whole).toBeLessThanOrEqual(size);
                expect(slice.whole).toBeGreaterThan(size / 3);
                expect(slice.events).toBeLessThan(822 / 2);
                const [days] = await slice.warehouse.rows(`
                    select
                        count_if(race_date = '${day}') as today,
                        count_if(race_date = date '${day}' - 1) as before,
                        count_if(race_date = date '${day}' + 1) as after,
                        count_if(race_date < date '${day}' - 100) as past,
                    from sources.races`);
                expect(days).toMatchObject({ today: 2n, before: 2n, after: 2n });
                expect(Number(days!.past)).toBeGreaterThan(10);
                const starts = "select horse, count(*) as starts from sources.entries group by all";
                const careers = new Map(
                    (await warehouse.rows(starts)).map(({ horse, starts }) => [horse, starts]),
                );
                const runners = await slice.warehouse.rows(`
                    select horse, count(*) as starts from sources.entries
                    where horse in (select horse from sources.entries semi join (from sources.races where race_date = '${day}') using (race_id))
                    group by all`);
                const whole = runners.filter(({ horse, starts }) => careers.get(horse) === starts);
                expect(whole.length).toBe(runners.length);
                // As far back as it counts, though of other races there are a few rows only.
                const [deepest] = await slice.warehouse.rows(
                    "select count(*) as rows from sources.entries group by weight order by rows desc limit 1",
                );
                expect(Number(deepest!.rows)).toBeGreaterThanOrEqual(sliceDepth(size));
                const [times] = await slice.warehouse.rows(`
                    select count(*) as rows, count_if(horse in (select horse from sources.entries as entry where entry.race_id = times.race_id)) as known
                    from sources.times`);
                expect(times!.known).toBe(times!.rows);
                expect(Number(times!.rows)).toBeGreaterThan(0);
                // A row of no event could belong to any part of the history; a table of no events does.
                const [kept] = await slice.warehouse.rows(
                    "select count_if(horse = 'nobody') as nobody, (select count(*) from sources.horses) as horses from sources.entries",
                );
                expect(kept).toEqual({ nobody: 1n, horses: 9n });
                const [made] = await slice.warehouse.rows("select count(*) as rows from main.starts");
                const [kinds] = await slice.warehouse.rows(
                    "select count_if(status is distinct from 'SCRATCHED') as run, count(distinct race_id) as races from sources.entries where race_id is not null",
                );
                expect(made!.rows).toBe(kinds!.run);
                expect(Number(kinds!.races)).toBe(slice.events);
            }),
        );
    });

    test("of events without parts is of single events from all over the history", async () => {
        const alone = { ...project, sources: sources.filter(({ name }) => name === "races") };
        await withLongBuild({}, (warehouse, compiled) =>
            withHistorySlice(
                { project: alone, compiled, warehouse, day, size, seed: 1, signal },
                async (slice) => {
                    expect(slice.events).toBeGreaterThan(slice.whole);
                    const [usual] = await slice.warehouse.rows(
                        "select count(*) as races from sources.races where prize = 100",
                    );
                    expect(Number(usual!.races)).toBeGreaterThanOrEqual(sliceDepth(size));
                    const [kept] = await slice.warehouse.rows("select count(*) as races from sources.races");
                    expect(Number(kept!.races)).toBe(slice.events);
                },
            ),
        );
    });

    test("shows every leak that the whole history shows, and where it comes from", async () => {
        const models = Object.fromEntries(
            Object.values(leaks).map(({ model }, index) => [`leak_${index}`, model]),
        );
        for (const perturbation of ["cut", "removed", "replaced", "reordered"] as const) {
            const { audit: done, results } = await audit({ ...clean, ...models }, [perturbation]);
            expect(done.replays[0]!.slice).toMatchObject({ ofEvents: 822 });
            expect(results[0]!.message).toMatch(/on a slice of \d+ of 822 events: .* numbered anew in it$/);
            const differing = done.replays[0]!.models.filter(({ columns }) => columns.length > 0);
            const wanted = Object.values(leaks).flatMap(({ by = "cut", column }, index) =>
                by === perturbation ? [`leak_${index} ${column}`] : [],
            );
            expect(differing.map(({ model, columns }) => `${model} ${columns[0]!.column}`)).toEqual(
                expect.arrayContaining(wanted),
            );
            expect(differing.filter(({ model }) => model in clean)).toEqual([]);
            expect(differing.filter(({ origin }) => origin).length).toBeGreaterThan(0);
        }
    });

    /** Values only after more races than a slice has; with `leak`, they tell the day's places. */
    const rare = (value: string) =>
        asOfModel(`case when (select count(*) from sources.races) > 400 then ${value} end as rare`, {
            sources: ["races"],
        });

    test("that lacks values the day has in the full build leaves their models to the whole history", async () => {
        const events: RunEvent[] = [];
        const models = {
            regulars: asOfModel(
                "case when count(*) over (partition by horse order by race_date range between unbounded preceding and interval 1 day preceding) >= 8 then 1 end as often, weight",
            ),
            never: asOfModel("case when prize < 0 then 1 end as never"),
            rare: rare("weight"),
        };
        const { audit: done, results } = await audit(models, ["removed"], events);
        expect(done.passed).toBe(true);
        expect(done.coverage!.unseen).toEqual([{ column: "rare.rare", model: "rare", day }]);
        expect(done.coverage!.seen).toContain("regulars.often");
        expect(
            done.replays.map(({ why, slice, models }) => [
                why,
                slice?.ofEvents,
                models.map((one) => one.model),
            ]),
        ).toEqual([
            ["named", 822, ["regulars", "never", "rare"]],
            ["unseen", undefined, ["rare"]],
        ]);
        expect(results.map(({ name }) => name)).toEqual([
            `replay.${day}.removed`,
            `replay.${day}.removed.unseen`,
        ]);
        const starts = events.filter((event) => event.type === "node-start");
        expect(starts.map(({ index, total }) => `${index} of ${total}`)).toEqual(["1 of 1", "2 of 2"]);
        const page = auditReport(done, { runId: "1", target: "test", version: "1", command: "audit" });
        expect(page).toMatch(/^2024-03-06 +named +\d+ events +removed /m);
        expect(page).toMatch(/^2024-03-06 +unseen +whole +removed +1 /m);
        expect(page).toContain('chosen as "unseen": rare.rare');
    });

    test("does not hide a leak that only a longer history shows", async () => {
        const { audit: done, results } = await audit({ rare: rare("place") }, ["removed"]);
        expect(done.passed).toBe(false);
        expect(results.map(({ status }) => status)).toEqual(["success", "failed"]);
        expect(results[1]!.message).toContain("rare");
    });

    /** Of two recipes the one for histories of more than so many starts tells the place. */
    const twofold = (limit: string) =>
        asOfModel(
            `case when count(*) over (order by race_date groups between unbounded preceding and 1 preceding) > ${limit} then place else weight end as mixed`,
        );

    test("counts far enough to show the recipe for a long history", async () => {
        const { audit: done } = await audit({ twofold: twofold(String(sliceDepth(size))) }, ["removed"]);
        // On the slice already, before its query is looked into.
        expect(done.replays[0]).toMatchObject({ why: "named", passed: false, slice: { ofEvents: 822 } });
    });

    test("that does not count as far as a model leaves it to the whole history", async () => {
        const models = { long: twofold("30 * 100"), short: twofold("50") };
        const { audit: done } = await audit(models, ["removed"]);
        expect(done.coverage!.counting).toEqual([{ model: "long", limit: "3000" }]);
        const differing = done.replays.map(({ why, models }) => [
            why,
            models.filter(({ columns }) => columns.length > 0).map(({ model }) => model),
        ]);
        expect(differing).toEqual([
            ["named", ["short"]],
            ["unseen", ["long"]],
        ]);
    });

    test("that no constant tells a limit of leaves the model to the whole history", async () => {
        const models = { long: twofold("30 * weight"), short: twofold("50") };
        const { audit: done } = await audit(models, ["removed"]);
        expect(done.coverage!.counting).toEqual([
            { model: "long", limit: expect.stringContaining("> 30 * weight then place") },
        ]);
        expect(done.replays.map(({ why, models }) => [why, models.map(({ model }) => model)])).toEqual([
            ["named", ["long", "short"]],
            ["unseen", ["long"]],
        ]);
        expect(done.replays[1]!.passed).toBe(false);
        const page = auditReport(done, { runId: "1", target: "test", version: "1", command: "audit" });
        expect(page.replace(/\s+/g, " ")).toMatch(
            /May count further than a slice does, and replayed whole on these days: long \(…[^)]*\) > 30 \* weight then place/,
        );
    });

    test("need not show what a day that is replayed whole shows", async () => {
        const early = asOfModel(
            "case when (select count(*) > 80 * count(distinct prize) from sources.races) then weight end as early",
            {
                sources: ["races"],
            },
        );
        const run = (days: readonly string[]) =>
            withLongBuild({ early }, (warehouse, compiled) =>
                runAudit({
                    project,
                    compiled,
                    warehouse,
                    plan: days.map((on) => ({ day: on, why: "named", perturbation: "cut" })),
                    slice: size,
                    seed: 1,
                    traceSeconds: 0,
                    report: () => undefined,
                    signal,
                }),
            );
        const { audit: alone } = await run([day]);
        expect(alone.replays.map(({ why }) => why)).toEqual(["named", "unseen"]);
        const { audit: both } = await run([day, "2023-05-01"]);
        expect(both.replays.map(({ slice }) => slice?.ofEvents)).toEqual([undefined, 822]);
        expect(both.coverage!.unseen).toEqual([]);
    });

    test("of which a model cannot be made leaves its day to the whole history", async () => {
        const events: RunEvent[] = [];
        const needsAll = asOfModel(
            "case when (select count(*) from sources.races) < 500 then error('too few') else weight end as weight",
            { sources: ["races"] },
        );
        const { audit: done, results } = await audit({ needsAll }, ["removed"], events);
        expect(results.map(({ status }) => status)).toEqual(["success"]);
        expect(done.replays[0]).not.toHaveProperty("slice");
        expect(events.filter(({ type }) => type === "note")).toMatchObject([
            {
                message: expect.stringMatching(
                    /2024-03-06 is replayed on the whole history.*needsAll.*too few/,
                ),
            },
        ]);
    });
});

describe("a day of which no slice can be made", () => {
    test("is a whole one, whose values need be in no slice", async () => {
        const other = "2023-11-01";
        const models = {
            needy: asOfModel(
                `case when (select count(*) from main.starters as all_starters where race_date = '${other}') < 8 then error('too few') else weight end as weight`,
            ),
            rare: asOfModel(
                "case when (select count(*) > 58 * count(distinct prize) from sources.races) then weight end as rare",
                {
                    sources: ["races"],
                },
            ),
        };
        const events: RunEvent[] = [];
        const { audit: done } = await withLongBuild(models, (warehouse, compiled) =>
            runAudit({
                project,
                compiled,
                warehouse,
                plan: [other, day].map((on) => ({ day: on, why: "named", perturbation: "removed" })),
                slice: 40,
                seed: 1,
                traceSeconds: 0,
                report: (event) => events.push(event),
                signal,
            }),
        );
        expect(events.filter(({ type }) => type === "note").length).toBe(1);
        expect(done.replays.map(({ why, slice }) => [why, slice !== undefined])).toEqual([
            ["named", true],
            ["named", false],
        ]);
        expect(done.coverage!.seen).toContain("rare.rare");
    });
});

describe("the jobs of an audit", () => {
    const jobs = (plan: readonly (readonly [string, Perturbation])[], slice: number | undefined) =>
        withLongBuild({}, async (warehouse) =>
            (
                await planJobs(
                    warehouse,
                    sources,
                    plan.map(([on, perturbation]) => ({ day: on, why: "named", perturbation })),
                    slice,
                )
            ).map(({ day: on, isSliced, replays }) => [on, isSliced, replays.map((one) => one.perturbation)]),
        );

    test("share a slice by day, and take an early day whole", async () => {
        const plan = [
            [day, "cut"],
            [day, "replaced"],
            ["2023-02-01", "cut"],
            ["2023-02-01", "removed"],
        ] as const;
        expect(await jobs(plan, size)).toEqual([
            [day, true, ["cut", "replaced"]],
            ["2023-02-01", true, ["removed"]],
            ["2023-02-01", false, ["cut"]],
        ]);
    });

    test("need a slice when together they take longer without", async () => {
        // Of some 600 events each.
        const plan = [
            ["2023-11-01", "cut"],
            ["2023-11-01", "reordered"],
        ] as const;
        expect(await jobs(plan.slice(0, 1), 100)).toEqual([["2023-11-01", false, ["cut"]]]);
        expect(await jobs(plan, 100)).toEqual([["2023-11-01", true, ["cut", "reordered"]]]);
    });

    test("are whole for a short history, and when nothing else is wanted", async () => {
        const plan = [[day, "removed"]] as const;
        expect(await jobs(plan, 200)).toEqual([[day, false, ["removed"]]]);
        expect(await jobs(plan, undefined)).toEqual([[day, false, ["removed"]]]);
        expect(await jobs(plan, 80)).toEqual([[day, true, ["removed"]]]);
    });
});
