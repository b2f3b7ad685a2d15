import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { bundleScript } from "./bundle-script.ts";
import { longestExplainedMs, withLockWaits } from "./lock-waits.ts";
import { startPublisher } from "./publishers.ts";
import { makeControl } from "./read-patterns.ts";
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
    await makeControl(database.url);
    const report = await withReaders(database.url, { perPattern: 1, measured: true }, async () => {
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
             where relkind in ('r', 'm') and relname in ('starts', 'form', 'current_form', 'latest_starts')
               and relnamespace <> 'control'::regnamespace group by 1 order by 1`,
        );
        expect(rows).toEqual([
            { schema: "public", relations: 3 },
            { schema: "rebuild_archive", relations: 4 },
            { schema: "serving", relations: 1 },
        ]);
    });
    expect(report).toMatchObject({ errors: [], empty: 0, mixed: 0 });
    expect(report.reads).toBeGreaterThan(50);
    await withClient({ url: database.url }, async (client) =>
        expect(report.locks!.longestMs).toBeLessThan(await longestExplainedMs(client, report.locks!)),
    );
});

test("a wait for a lock is measured, whatever else its session waits for", async () => {
    await withClient({ url: database.url }, (reader) =>
        withClient({ url: database.url }, async (holder) => {
            await holder.query("create table held ()");
            const { rows } = await reader.query<{ pid: number }>("select pg_backend_pid() as pid");
            const isReader = (pid: number) => pid === rows[0]!.pid;
            const { seen, longestMs, longestStepMs } = await withLockWaits(
                database.url,
                isReader,
                async () => {
                    await reader.query("select pg_sleep(0.3)");
                    await holder.query("begin; lock table held");
                    const reading = reader.query("select from held");
                    await holder.query(
                        `do $$ begin
                            while not exists (select from pg_locks where pid = ${rows[0]!.pid} and waitstart is not null) loop
                                perform pg_sleep(0.001);
                            end loop;
                        end $$; select pg_sleep(0.1); commit`,
                    );
                    await reading;
                },
            );
            expect(seen).toBe(1);
            expect(longestMs + longestStepMs).toBeGreaterThan(100);
        }),
    );
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
