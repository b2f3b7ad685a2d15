import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { bundleScript } from "./bundle-script.ts";
import { startPublisher } from "./publishers.ts";
import { withReaders } from "./readers.ts";
import { fillStable, publish, withMemoryWarehouse } from "./world.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("kill");
});
afterAll(() => database.drop());

/** Steps before which the publisher dies; all but the last leave the old generation in service. */
const steps = [
    "preflight",
    "build",
    "load",
    "loaded",
    "index",
    "refresh",
    "verify",
    "built",
    "swap",
    "swapped",
];

const inService = () =>
    withClient({ url: database.url }, async (client) => {
        const { rows } = await client.query<{ generation: number }>(
            "select max(generation) as generation from public.starts",
        );
        return rows[0]!.generation;
    });

test("a publisher killed before any step leaves a whole generation in service, and the next one cleans up", async () => {
    const publishGeneration = (generation: number) =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, generation);
            await publish({ url: database.url, warehouse });
        });
    const [script] = await Promise.all([bundleScript("publisher-process"), publishGeneration(1)]);
    const report = await withReaders(database.url, { perPattern: 1 }, async () => {
        for (const [index, step] of steps.entries()) {
            const publisher = startPublisher(script, database.url);
            const order = { generation: index + 2, mode: "swap", lethal: { step, occurrence: 1 } } as const;
            expect(await publisher.run(order)).toMatchObject({ outcome: "killed", errors: "" });
            expect(await inService()).toBe(step === "swapped" ? index + 2 : 1);
        }
        await publishGeneration(99);
    });
    expect(await inService()).toBe(99);
    await withClient({ url: database.url }, async (client) => {
        const { rows } = await client.query(
            `select relnamespace::regnamespace::text as schema, count(*)::int as relations from pg_class
             where relkind in ('r', 'm') and relname in ('starts', 'form', 'current_form', 'latest_starts') group by 1 order by 1`,
        );
        expect(rows).toEqual([
            { schema: "public", relations: 3 },
            { schema: "rebuild_archive", relations: 4 },
            { schema: "serving", relations: 1 },
        ]);
    });
    expect(report.errors).toEqual([]);
    expect(report).toMatchObject({ empty: 0, mixed: 0 });
    expect(report.reads).toBeGreaterThan(100);
    // Far from a queue behind a lock; the machine may be busy with other tests.
    expect(report.longestMs).toBeLessThan(1000);
});

test("two publishers at once: one publishes, the other is told so, and readers notice nothing", async () => {
    const report = await withReaders(database.url, { perPattern: 2 }, () =>
        withMemoryWarehouse(async (warehouse) => {
            await fillStable(warehouse, 200);
            const outcomes = await Promise.allSettled([
                publish({ url: database.url, warehouse }),
                publish({ url: database.url, warehouse }),
            ]);
            expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
        }),
    );
    expect(report.errors).toEqual([]);
    expect(report).toMatchObject({ empty: 0, mixed: 0 });
});
