import { expect, test } from "vitest";
import type { Source } from "../../runner/project/project.ts";
import { createWorld } from "../../runner/testing/replay/create-world.ts";
import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { tinySources, withTinyBuild } from "./replay-fixture.ts";

const day = "2024-03-04";

function inWorld<T>(
    perturbation: Perturbation,
    read: (scratch: Warehouse, base: string) => Promise<T>,
    { sources = tinySources, seed = 1 }: { sources?: readonly Source[]; seed?: number } = {},
): Promise<T> {
    return withTinyBuild({}, [], (warehouse) =>
        warehouse.scratch(async (scratch, base) => {
            await createWorld(scratch, { sources, base, day, perturbation, seed });
            return read(scratch, base);
        }),
    );
}

const known = `select * exclude (place, status) from sources.entries order by all`;

test("what is declared stays as it is, whatever is done to outcomes", async () => {
    const full = await withTinyBuild({}, [], (warehouse) => warehouse.rows(known));
    expect(await inWorld("removed", (scratch) => scratch.rows(known))).toEqual(full);
    const kept = await inWorld("replaced", (scratch) => scratch.rows(known));
    expect(kept.length).toBeGreaterThan(0);
    expect(full).toEqual(expect.arrayContaining([...kept]));
});

test("outcomes before the day stay, and those of the day and later are gone", async () => {
    for (const perturbation of ["removed", "cut"] as const) {
        const [row] = await inWorld(perturbation, (scratch) =>
            scratch.rows(`
                select
                    count(place) filter (where race_date < '${day}') as earlier,
                    count(place) filter (where race_date >= '${day}') as later,
                    count(*) filter (where race_date > '${day}') as later_rows,
                    (select count(*) from sources.times inner join sources.races using (race_id) where race_date >= '${day}') as times,
                from sources.entries inner join sources.races using (race_id)`),
        );
        expect(row).toEqual({
            earlier: 23n,
            later: 0n,
            later_rows: perturbation === "cut" ? 0n : 56n,
            times: 0n,
        });
    }
});

test("replaced outcomes come whole, some go, and events not run get some; the same seed gives the same", async () => {
    const read = (seed: number) =>
        inWorld(
            "replaced",
            (scratch, base) =>
                scratch.rows(`
                    select race_id, horse, changed.place, changed.status, entries.place as was
                    from sources.entries as changed inner join ${base}.sources.entries using (id, race_id, horse)
                    inner join sources.races using (race_id)
                    where race_date >= '${day}' order by all`),
            { seed },
        );
    const rows = await read(1);
    expect(rows.some(({ place, was }) => place !== was && place !== null)).toBe(true);
    expect(rows.every(({ place, status }) => (place !== null) === (status === "FINISHED"))).toBe(true);
    const seeds = await Promise.all([1, 2, 3, 4].map(read));
    expect(seeds[0]).toEqual(rows);
    expect(
        new Set(seeds.map((one) => one.map((row) => Object.values(row).join()).join())).size,
    ).toBeGreaterThan(1);
    expect(seeds.flat().some(({ place, was }) => place === null && was !== null)).toBe(true);
});

test("events take the outcomes of those that are alike", async () => {
    const sources = tinySources.map((one) => (one.name === "races" ? { ...one, alike: ["prize"] } : one));
    const rows = await inWorld(
        "replaced",
        (scratch, base) =>
            scratch.rows(`
                select own.prize as own, donor.prize as donor
                from replay.events_1 as event
                inner join ${base}.sources.races as own on event.race_id = own.race_id
                inner join ${base}.sources.races as donor on event.replay_donor_1 = donor.race_id
                where event.replay_action = 'replace'`),
        { sources },
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ own, donor }) => own !== donor)).toEqual([]);
});

test("reordered rows lie elsewhere and have other surrogates, and are the same otherwise", async () => {
    const [moved] = await inWorld("reordered", (scratch, base) =>
        scratch.rows(`
            select count(*) as rows, count_if(changed.id <> entries.id) as renumbered, count(distinct changed.id) as ids
            from sources.entries as changed inner join ${base}.sources.entries using (race_id, horse)`),
    );
    expect(moved).toMatchObject({ rows: 32n, ids: 32n });
    expect(Number(moved!.renumbered)).toBeGreaterThan(20);
});

test("a row of no event counts as one to come", async () => {
    const orphan = "insert into sources.entries values (999, 777, 'h1', 50, 1, 'FINISHED')";
    for (const [perturbation, expected] of [
        ["removed", [{ place: null }]],
        ["cut", []],
    ] as const) {
        const found = await withTinyBuild({}, [orphan], (warehouse) =>
            warehouse.scratch(async (scratch, base) => {
                await createWorld(scratch, { sources: tinySources, base, day, perturbation, seed: 1 });
                return scratch.rows("select place from sources.entries where race_id = 777");
            }),
        );
        expect(found).toEqual(expected);
    }
});

test("a value known before is known in any case and spacing", async () => {
    const spelled =
        "update sources.entries set status = ' late-Scratched', place = null where id in (select id from sources.entries inner join sources.races using (race_id) where race_date = '2024-03-04' limit 2)";
    const sources = tinySources.map((one) => ({
        ...one,
        columns: one.columns.map((column) =>
            column.name === "status" ? { ...column, knownBeforeValues: ["LATE_SCRATCHED"] } : column,
        ),
    }));
    const found = await withTinyBuild({}, [spelled], (warehouse) =>
        warehouse.scratch(async (scratch, base) => {
            await createWorld(scratch, { sources, base, day, perturbation: "cut", seed: 1 });
            return scratch.rows(
                "select status from sources.entries where race_id in (6, 7) and status is not null",
            );
        }),
    );
    expect(found).toEqual([{ status: " late-Scratched" }, { status: " late-Scratched" }]);
});
