import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import { resumePublish } from "../../runner/publish/resume.ts";
import { serverAccount } from "../../sandbox/postgres/account.ts";
import { type RunningPostgres, startPostgres } from "../../sandbox/postgres.ts";
import { bundleScript } from "../publish/bundle-script.ts";
import { longestExplainedMs } from "../publish/lock-waits.ts";
import { makeControl } from "../publish/read-patterns.ts";
import { describeReport, type ReaderReport } from "../publish/readers.ts";
import { withReaderProcess } from "../publish/with-reader-process.ts";
import { connectionTo, fillStable, inMode, publish, withMemoryWarehouse } from "../publish/world.ts";

/**
 * What else happens to a server while something is published: 20 readers in five patterns read on through all of it.
 * A server of its own, since it is restarted; TEST_POSTGRES_NATIVES names the folder of another version's programs.
 */
let folder: string;
let server: RunningPostgres;
let readers: string;
let generation = 0;
const totals: ReaderReport = { reads: 0, errors: [], empty: 0, mixed: 0, longestMs: 0, reconnects: 0 };

const longest = { published: 0, control: 0, lock: 0 };

const natives = process.env.TEST_POSTGRES_NATIVES;
const start = (port?: number) =>
    startPostgres({
        dataDirectory: join(folder, "postgres"),
        ...(port !== undefined && { port }),
        ...(natives !== undefined && { natives }),
    });

beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rebuild-disturbance-"));
    await chmod(folder, 0o755);
    [server, readers] = await Promise.all([start(), bundleScript("reader-process")]);
    await publishNext();
    await makeControl(server.url);
});
afterAll(async () => {
    console.log(
        `all disturbances: ${describeReport(totals)}; without those of a server that went away: longest ${longest.published} ms, ` +
            `of the control ${longest.control} ms, for a lock ${longest.lock.toFixed(1)} ms`,
    );
    await server.stop();
    await rm(folder, { recursive: true, force: true });
});

const sql = (text: string) => withClient({ url: server.url }, (client) => client.query(text));
const value = async (text: string) => Object.values((await sql(text)).rows[0] as object)[0];
const inService = () => value("select max(generation) from public.starts");

type Options = Partial<Parameters<typeof publish>[0]> & { readonly rows?: number };

const publishNext = ({ rows = 1000, ...options }: Options = {}) =>
    withMemoryWarehouse(async (warehouse) => {
        await fillStable(warehouse, ++generation, rows);
        return publish({ url: server.url, warehouse, ...options });
    });

/** Reads while the callback works; nobody may have met an error, a mixture or nothing. */
async function underReaders(name: string, work: () => Promise<void>, serverRestarts = false): Promise<void> {
    const options = { perPattern: 4, serverRestarts, measured: true };
    const report = await withReaderProcess(readers, server.url, options, work);
    console.log(`${name}: ${describeReport(report)}`);
    totals.errors.push(...report.errors);
    for (const key of ["reads", "empty", "mixed", "reconnects"] as const) totals[key] += report[key];
    expect(report).toMatchObject({ errors: [], empty: 0, mixed: 0 });
    const { locks, published, control } = report;
    if (!locks) return;
    longest.published = Math.max(longest.published, published!.longestMs);
    longest.control = Math.max(longest.control, control!.longestMs);
    longest.lock = Math.max(longest.lock, locks.longestMs);
    await withClient({ url: server.url }, async (client) =>
        expect(locks.longestMs).toBeLessThan(await longestExplainedMs(client, locks)),
    );
}

/** A session that does something until the callback of `work` ends. */
async function meanwhile(
    session: (client: PostgresClient) => Promise<void>,
    work: () => Promise<void>,
): Promise<void> {
    await withClient({ url: server.url, applicationName: "disturbance" }, async (client) => {
        await session(client);
        await work();
    });
}

test("a long reader, and one like pg_dump, are waited for", async () => {
    await underReaders("a long reader", async () => {
        for (const mode of ["swap", "diff"] as const) {
            await meanwhile(
                async (client) => {
                    await client.query(
                        "begin; select count(*) from public.starts, public.latest_starts limit 1",
                    );
                    setTimeout(() => client.query("commit").catch(() => undefined), 1500);
                },
                async () => {
                    const { swapAttempts } = await publishNext({ models: inMode(mode) });
                    if (mode === "swap") expect(swapAttempts).toBeGreaterThan(1);
                    expect(await inService()).toBe(generation);
                },
            );
        }
    });
    await underReaders("a reader like pg_dump", async () => {
        await meanwhile(
            async (client) => {
                await client.query(`begin isolation level repeatable read, read only;
                    lock table public.starts, serving.form in access share mode; select pg_export_snapshot()`);
            },
            async () => {
                const before = await inService();
                const given = publishNext({ settings: { swapTimeoutSeconds: 2 } });
                await expect(given).rejects.toThrow(/finished build stays[\s\S]*disturbance/);
                expect(await inService()).toBe(before);
            },
        );
        const run = { id: "test", startedAt: new Date() };
        const signal = new AbortController().signal;
        await resumePublish({ connection: connectionTo(server.url), run, signal, report: () => undefined });
        expect(await inService()).toBe(generation);
    });
});

test("autovacuum at work on what is in service and on what is built yields", async () => {
    await sql("alter system set autovacuum_naptime = '1s'");
    await sql("select pg_reload_conf()");
    await sql(`alter table public.starts set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
        autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`);
    await underReaders("autovacuum", async () => {
        await publishNext({ rows: 8000, overrides: new Set(["row-count"]) });
        await sql("update public.starts set is_win = not is_win");
        const isVacuumed = `select count(*)::int from pg_stat_activity where backend_type = 'autovacuum worker' and query like '%public.starts%'`;
        for (let waited = 0; (await value(isVacuumed)) === 0 && waited < 300; waited++) await sleep(50);
        expect(await value(isVacuumed)).toBeGreaterThan(0);
        let atSwap: unknown;
        const { swapAttempts } = await publishNext({
            ...{ rows: 8000, settings: { swapTimeoutSeconds: 30 } },
            onStep: async (step) => {
                if (step === "swap") atSwap = await value(isVacuumed);
            },
        });
        console.log(`autovacuum workers on the table at the swap: ${atSwap}, attempts: ${swapAttempts}`);
        expect(atSwap).toBeGreaterThan(0);
        expect(await inService()).toBe(generation);
    });
    await sql("alter system reset all");
    await sql("select pg_reload_conf()");
});

test("timeouts that a host sets do not cut a publish", async () => {
    await sql(`alter database postgres set statement_timeout = '300ms'; alter database postgres set lock_timeout = '50ms';
        alter database postgres set idle_in_transaction_session_timeout = '100ms'; alter database postgres set idle_session_timeout = '500ms'`);
    // Since Postgres 17.
    await sql("alter database postgres set transaction_timeout = '400ms'").catch(() => undefined);
    await underReaders("timeouts", async () => {
        const { seconds } = await publishNext({
            settings: { maxBytesPerSecond: 50_000 },
            overrides: new Set(["row-count", "dates"]),
        });
        // The load is one statement, longer than may be, and the lock's session idle for longer than that.
        expect(seconds).toBeGreaterThan(0.6);
        expect(await inService()).toBe(generation);
    });
    await sql("alter database postgres reset all");
});

test("connections of the publisher that are cut at any moment leave a whole generation in service", async () => {
    let cut = 0;
    await underReaders("connections cut", async () => {
        for (let turn = 0; turn < 16; turn++) {
            const before = await inService();
            const target = turn % 2 === 0 ? "rebuild publish%" : "rebuild lock%";
            const timer = setTimeout(
                () =>
                    sql(
                        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like '${target}'`,
                    ),
                Math.random() * 700,
            );
            const outcome = await publishNext({ models: inMode(turn % 4 < 2 ? "swap" : "diff") }).then(
                () => "done",
                () => "cut",
            );
            clearTimeout(timer);
            if (outcome === "cut") cut++;
            // A cut at the very end is an error with the swap behind it.
            expect(outcome === "done" ? [generation] : [before, generation]).toContain(await inService());
        }
    });
    console.log(`${cut} of 16 publishes were cut`);
    await publishNext();
});

test("a worker that lost its lock does not swap over the one that took it", async () => {
    await underReaders("a lost lock", async () => {
        const late = publishNext({
            onStep: async (step) => {
                if (step !== "swap") return;
                await sql(
                    `select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and granted`,
                );
                await publishNext();
            },
        });
        await expect(late).rejects.toThrow(/swap|lock|build|exist/);
        expect(await inService()).toBe(generation);
    });
});

test("a server whose connections are all in use is left alone", async () => {
    const before = await inService();
    await underReaders("no connections", async () => {
        const free = `select (select sum(case name when 'max_connections' then setting::int else -setting::int end)
            from pg_settings where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections'))::int
            - (select count(*)::int from pg_stat_activity where backend_type = 'client backend')`;
        const take = async (left: number): Promise<void> => {
            if (left > 0) return withClient({ url: server.url }, () => take(left - 1));
            await expect(publishNext()).rejects.toThrow(
                /connections are in use: try later, or raise max_connections/,
            );
        };
        const readersThere =
            "select count(*)::int from pg_stat_activity where application_name like 'reader %'";
        await expect.poll(() => value(readersThere), { timeout: 30_000 }).toBe(20);
        await take(Number(await value(free)) - 1);
        expect(await inService()).toBe(before);
    });
});

test("several workers at once: one publishes, and the others are told who does", async () => {
    await underReaders("several workers", async () => {
        for (let turn = 0; turn < 4; turn++) {
            const outcomes = await Promise.allSettled([publishNext(), publishNext(), publishNext()]);
            const refused = outcomes.filter((outcome) => outcome.status === "rejected");
            expect(refused.length).toBeGreaterThan(0);
            expect(refused.length).toBeLessThan(3);
            for (const { reason } of refused) expect(reason).toMatchObject({ reason: "locked", exitCode: 3 });
        }
    });
});

/** A load that finds no room fails and leaves what is in service; the next one has room and publishes. */
async function findNoRoom({
    message,
    makeRoom,
    ...options
}: Options & { readonly message: RegExp; readonly makeRoom?: () => Promise<unknown> }): Promise<void> {
    const before = await inService();
    const full = publishNext({ rows: 400_000, overrides: new Set(["row-count"]), ...options });
    await expect(full).rejects.toThrow(message);
    expect(await inService()).toBe(before);
    await makeRoom?.();
    await publishNext({ overrides: new Set(["row-count", "dates"]) });
    expect(await inService()).toBe(generation);
}

test("a disk that runs full during the load leaves what is in service, and the next run cleans up", async (context) => {
    const account = serverAccount();
    const as = account ? { uid: account.uid, gid: account.gid } : {};
    const run = (program: string, parameters: readonly string[]) =>
        promisify(execFile)(program, parameters, as);
    if (process.platform !== "linux" || !(await run("prlimit", ["--version"]).catch(() => undefined))) {
        context.skip("prlimit, which keeps a server process from growing its files, is missing here");
    }
    const limitFiles = async () => {
        const pids = await sql(
            "select pid from pg_stat_activity where application_name = 'rebuild publish test'",
        );
        // As no file may grow beyond this, the table's cannot; those of the log are 16 MiB.
        for (const { pid } of pids.rows) await run("prlimit", ["--pid", String(pid), "--fsize=17000000"]);
    };
    await underReaders("a full disk", () =>
        findNoRoom({
            message: /could not (extend|write)|File too large|No space/,
            onStep: async (step) => {
                if (step === "load") await limitFiles();
            },
        }),
    );
});

test("a small tablespace that is full is told as such, and what is in service stays", async (context) => {
    const account = serverAccount();
    const small = join(folder, "small");
    await mkdir(small);
    const size = account && `size=12m,mode=700,uid=${account.uid},gid=${account.gid}`;
    const run = promisify(execFile);
    if (!size || !(await run("mount", ["-t", "tmpfs", "-o", size, "tmpfs", small]).catch(() => undefined))) {
        context.skip("only root, and where it may mount, makes a small disk for a tablespace");
    }
    try {
        await sql(`create tablespace small location '${small}'`);
        const database = `database ${await value("select current_database()")}`;
        await underReaders("a full tablespace", async () => {
            await sql(`alter ${database} set default_tablespace = small`);
            await findNoRoom({
                message: /No space left on device/,
                makeRoom: () => sql(`alter ${database} reset default_tablespace`),
            });
        });
        // Refused while anything of the run that failed is in it.
        await sql("drop tablespace small");
    } finally {
        await run("umount", ["--lazy", small]);
    }
});

test("a server that restarts in the middle comes back with a whole generation", async () => {
    const port = server.port;
    await underReaders(
        "restarts",
        async () => {
            for (const step of ["load", "refresh", "swap"] as const) {
                const before = await inService();
                const publishing = publishNext({
                    overrides: new Set(["row-count", "dates"]),
                    onStep: async (name) => {
                        if (name !== step) return;
                        await server.stop();
                        server = await start(port);
                    },
                });
                await expect(publishing).rejects.toThrow();
                expect(await inService()).toBe(before);
            }
            await publishNext();
            expect(await inService()).toBe(generation);
        },
        true,
    );
});

test("a server process that is killed takes all sessions along, and a whole generation comes back", async () => {
    await underReaders(
        "a crash",
        async () => {
            for (const step of ["loaded", "swap"] as const) {
                const before = await inService();
                const publishing = publishNext({
                    onStep: async (name) => {
                        if (name !== step) return;
                        const pid = await value(
                            "select pid from pg_stat_activity where application_name = 'rebuild publish test'",
                        );
                        process.kill(Number(pid), "SIGKILL");
                    },
                });
                await expect(publishing).rejects.toThrow();
                await expect.poll(() => inService().catch(() => undefined), { timeout: 30_000 }).toBe(before);
            }
            await publishNext();
            expect(await inService()).toBe(generation);
        },
        true,
    );
});
