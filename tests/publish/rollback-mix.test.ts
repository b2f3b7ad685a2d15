import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { listGenerations } from "../../runner/publish/list-generations.ts";
import { rollback } from "../../runner/publish/rollback.ts";
import { type Change, RollbackHistory } from "../../runner/publish/rollback-route.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { withReaders } from "./readers.ts";
import { connectionTo, fillStable, inMode, publish, withMemoryWarehouse } from "./world.ts";

describe("the way back over swaps and changes in place", () => {
    const swapped = (
        id: number,
        incoming: number,
        outgoing: number | null,
        name = "public.starts",
    ): Change => ({
        ...{ id, mode: "swap" },
        objects: [{ name, incoming, outgoing }],
    });
    const changed = (id: number, oid: number, restores: number | null = null): Change => ({
        ...{ id, mode: "diff" },
        ...{ oids: [oid], restores },
    });
    const objects = (changes: readonly Change[], archived: readonly number[]) => ({
        live: new Map(
            changes.flatMap((change) =>
                change.mode === "swap"
                    ? change.objects.map(({ name, incoming }): [string, number] => [name, incoming])
                    : [],
            ),
        ),
        archived: new Set(archived),
    });
    const route = (changes: readonly Change[], existing: readonly number[], to: number, base = 0) =>
        new RollbackHistory(base, changes, objects(changes, existing))
            .find(to)
            ?.map((step) =>
                step.mode === "swap"
                    ? `${step.to} by ${[...step.oids]}`
                    : `${step.to} without ${[...step.undone].map(([oid, ids]) => `${ids} of ${oid}`)}`,
            );

    test("is one step where only objects or only rows differ", () => {
        expect(route([swapped(1, 11, null), swapped(2, 12, 11)], [11], 1)).toEqual(["1 by 11"]);
        expect(route([swapped(1, 11, null), changed(2, 11), changed(3, 11)], [], 1)).toEqual([
            "1 without 3,2 of 11",
        ]);
        // What was changed and then swapped out comes back with the changed rows.
        expect(route([swapped(1, 11, null), changed(2, 11), swapped(3, 12, 11)], [11], 2)).toEqual([
            "2 by 11",
        ]);
    });

    test("is several steps where both differ, each to a generation that was in service", () => {
        const mixed = [swapped(1, 11, null), changed(2, 11), swapped(3, 12, 11), changed(4, 12)];
        // The swap takes the later change along.
        expect(route(mixed, [11], 1)).toEqual(["2 by 11", "1 without 2 of 11"]);
        const beside = [
            ...[swapped(1, 11, null), swapped(2, 21, null, "serving.form")],
            ...[swapped(3, 12, 11), changed(4, 21)],
        ];
        expect(route(beside, [11], 2)).toEqual(["3 without 4 of 21", "2 by 11"]);
    });

    test("leads forward again, and does not end at what is in service", () => {
        const back = [
            swapped(1, 11, null),
            changed(2, 11),
            swapped(3, 12, 11),
            swapped(4, 11, 12),
            changed(5, 11, 1),
        ];
        expect(route(back, [12], 3)).toEqual(["3 by 12"]);
        expect(route(back, [12], 2)).toEqual(["2 without 5 of 11"]);
        expect(route(back, [12], 1)).toEqual([]);
    });

    test("ends where something was dropped, and begins with what was there before", () => {
        expect(route([swapped(1, 11, null), swapped(2, 12, 11)], [], 1)).toBeUndefined();
        expect(route([swapped(1, 11, 10)], [10], 0)).toEqual(["0 by 10"]);
        expect(route([swapped(1, 11, null)], [], 0)).toBeUndefined();
        expect(route([swapped(5, 12, 11)], [11], 4, 4)).toEqual(["4 by 11"]);
        const some = [swapped(5, 12, 11), changed(6, 12)];
        expect(new RollbackHistory(4, some, objects(some, [11])).findAll()).toEqual([5, 4]);
        // Changes before these are not known any more: what they left is.
        const late = { live: new Map([["public.starts", 11]]), archived: new Set<number>() };
        expect(new RollbackHistory(3, [changed(4, 11)], late).findAll()).toEqual([3]);
    });
});

describe("a database with swaps and changes in place", () => {
    let database: TestDatabase;
    let url: string;
    beforeAll(async () => {
        database = await createDatabase("mix");
        url = database.url;
    });
    afterAll(() => database.drop());
    beforeEach(() =>
        sql(
            "drop schema if exists public, serving, rebuild_build, rebuild_archive, rebuild_meta cascade; create schema public",
        ),
    );

    const sql = (text: string) => withClient({ url }, (client) => client.query(text));
    /** Every row of every published object. */
    const content = async () =>
        Object.values(
            (
                await sql(`select (select md5(string_agg(s::text, '|' order by race_id, horse)) from public.starts s)
                    || (select md5(string_agg(f::text, '|' order by horse)) from serving.form f)
                    || (select md5(string_agg(c::text, '|' order by horse)) from public.current_form c)
                    || (select md5(string_agg(l::text, '|' order by horse)) from public.latest_starts l)`)
            ).rows[0] as object,
        )[0] as string;
    const events: RunEvent[] = [];
    const settings = { keepGenerations: 20 };
    const rollBack = (to?: number, own: Partial<typeof settings> = settings) =>
        rollback({
            connection: connectionTo(url, own),
            run: { id: "test", startedAt: new Date() },
            report: (event) => events.push(event),
            signal: new AbortController().signal,
            ...(to !== undefined && { to }),
        });
    /** By generation what was in service. */
    const publishAll = (modes: readonly ("swap" | "diff")[], own: Partial<typeof settings> = settings) =>
        withMemoryWarehouse(async (warehouse) => {
            const held = new Map<number, string>();
            for (const [index, mode] of modes.entries()) {
                await fillStable(warehouse, index + 1, 300 + index * 20);
                const call = { url, warehouse, models: inMode(mode), settings: own };
                const { generation } = await publish({ ...call, overrides: new Set(["row-count", "dates"]) });
                held.set(generation!, await content());
            }
            return held;
        });

    test("goes back to any of its generations, forwards and backwards, and readers meet no mixture", async () => {
        const held = await publishAll(["swap", "diff", "diff", "swap", "diff", "swap"]);
        const report = await withReaders(url, { perPattern: 1 }, async () => {
            for (const to of [1, 4, 2, 6, 3, 5, 1, 6]) {
                await rollBack(to);
                expect(await content(), `generation ${to}`).toBe(held.get(to));
            }
        });
        expect(report.errors).toEqual([]);
        expect(report).toMatchObject({ empty: 0, mixed: 0 });
        const notes = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
        expect(notes[0]).toBe(
            "swaps and changes in place are undone one after the other: to generation 3, then 1",
        );
        const generations = await listGenerations({
            connection: connectionTo(url),
            signal: new AbortController().signal,
        });
        expect(generations.filter(({ state }) => state === "live")).toHaveLength(1);
        // And what is published next is built upon that.
        await publishAll(["swap", "diff"]);
    });

    test("keeps what was changed in place when that was swapped out, and says so when it is gone", async () => {
        const few = { keepGenerations: 1 };
        const held = await publishAll(["swap", "diff", "diff", "swap"], few);
        await rollBack(undefined, few);
        expect(await content()).toBe(held.get(3));
        await rollBack(undefined, few);
        expect(await content()).toBe(held.get(4));
        await rollBack(3, few);
        await rollBack(2, few);
        expect(await content()).toBe(held.get(2));
        await expect(rollBack(1, few)).rejects.toThrow(
            /nothing to roll back to generation 1[\s\S]*Kept are: .*\b4, 3\./,
        );
        await expect(rollBack(2, few)).rejects.toThrow(/what generation 2 held is in service/);
        expect(await content()).toBe(held.get(2));
    });
});
