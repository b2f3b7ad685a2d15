import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
    chmod,
    chown,
    cp,
    lstat,
    mkdir,
    mkdtemp,
    readdir,
    readFile,
    rm,
    stat,
    writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { serverAccount } from "../../sandbox/postgres/account.ts";
import { locateNatives } from "../../sandbox/postgres/natives.ts";
import { isAlive, readPostmaster } from "../../sandbox/postgres/process.ts";
import { type RunningPostgres, removePostgres, startPostgres } from "../../sandbox/postgres.ts";

const isRoot = process.getuid?.() === 0;
const script = fileURLToPath(new URL("start-server.ts", import.meta.url));

let scratch: string;
const children: ChildProcess[] = [];
const notes: string[] = [];
const note = (message: string) => notes.push(message);

beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "sandbox-postgres-"));
    await chmod(scratch, 0o755);
});

afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await rm(scratch, { recursive: true, force: true });
});

describe("the embedded Postgres", () => {
    const folder = () => join(scratch, "shared");
    const expendable = () => join(scratch, "expendable");
    const data = () => join(folder(), "cluster", "data");

    it("starts on an address that only this machine reaches, and asks for a password", async () => {
        await using server = await started(folder());
        const rows = await ask(
            server,
            "select current_setting('listen_addresses') as host, current_user as name",
        );
        expect(rows).toEqual([{ host: "127.0.0.1", name: "postgres" }]);
        const wrong = server.url.replace(/:[^:@]+@/, ":wrong@");
        await expect(withClient({ url: wrong }, async () => undefined)).rejects.toThrow(/password/);
        expect(await ask(server, "show server_encoding")).toEqual([{ server_encoding: "UTF8" }]);
    });

    it("keeps its password and its data from other users", async () => {
        await using server = await started(folder());
        expect((await stat(join(folder(), "cluster", "password"))).mode & 0o077).toBe(0);
        expect((await stat(server.data)).mode & 0o077).toBe(0);
    });

    it("stops completely, and starts again with the same data", async () => {
        const server = await started(folder());
        await ask(server, "create table meetings as select 7 as races");
        await server.stop();
        expect(await readPostmaster(data())).toBeUndefined();
        await using again = await started(folder());
        expect(await ask(again, "select races from meetings")).toEqual([{ races: 7 }]);
    });

    it("joins a server that runs already, which ends with its last user", async () => {
        const first = await started(folder());
        const second = await started(folder());
        expect([second.isReused, second.port]).toEqual([true, first.port]);
        await first.stop();
        expect(await ask(second, "select 1 as one")).toEqual([{ one: 1 }]);
        await second.stop();
        expect(await readPostmaster(data())).toBeUndefined();
    });

    it("is made once when several start it at the same moment", async () => {
        const place = join(scratch, "together");
        const servers = await Promise.all([started(place), started(place), started(place)]);
        expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
        await Promise.all(servers.map(({ stop }) => stop()));
        expect(await readdir(join(place, "users"))).toEqual([]);
        expect(await readdir(place)).toEqual(["cluster", "users"]);
    });

    it("recovers after its server was killed", async () => {
        const server = await started(folder());
        await ask(server, "create table survivors as select generate_series(1, 1000) as id");
        const { pid } = (await readPostmaster(data()))!;
        process.kill(pid, "SIGKILL");
        await expect.poll(() => isAlive(pid)).toBe(false);
        await using again = await started(folder());
        expect(again.isReused).toBe(false);
        expect(await ask(again, "select count(*)::int as rows from survivors")).toEqual([{ rows: 1000 }]);
        await server.stop();
        expect(await ask(again, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("is not fooled by a process that got the number of a dead server", async () => {
        const server = await started(folder());
        const { pid } = (await readPostmaster(data()))!;
        const left = await readFile(join(data(), "postmaster.pid"), "utf8");
        process.kill(pid, "SIGKILL");
        await expect.poll(() => isAlive(pid)).toBe(false);
        await server.stop();
        await writeFile(join(data(), "postmaster.pid"), left.replace(/^\d+/, String(process.ppid)));
        await using again = await started(folder());
        expect(again.isReused).toBe(false);
    });

    it("ends when the process that started it is killed", async () => {
        const place = expendable();
        const child = startChild(place);
        const { port } = await firstLine(child);
        const { pid } = (await readPostmaster(join(place, "cluster", "data")))!;
        child.kill("SIGKILL");
        await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
        await using again = await started(place);
        expect(again.isReused).toBe(false);
        expect(port).toBeGreaterThan(0);
    });

    it("outlives the killed process that started it while another one uses it", async () => {
        const place = expendable();
        const child = startChild(place);
        const { port } = await firstLine(child);
        await using server = await started(place);
        expect([server.isReused, server.port]).toEqual([true, port]);
        child.kill("SIGKILL");
        await once(child, "exit");
        await sleep(300);
        expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
    });

    it("moves a cluster of another version away and says so", async () => {
        const place = expendable();
        await (await started(place)).stop();
        await writeFile(join(place, "cluster", "data", "PG_VERSION"), "12\n");
        notes.length = 0;
        await using server = await started(place);
        expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
        expect(notes.join()).toMatch(
            /of Postgres version 12, where 18\.\d+ runs now.*kept as .*cluster\.unusable/,
        );
    });

    it("moves a broken cluster away and says so", async () => {
        const place = expendable();
        await (await started(place)).stop();
        await rm(join(place, "cluster", "data", "global"), { recursive: true });
        notes.length = 0;
        await using server = await started(place);
        expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
        expect(notes.join()).toMatch(/data directory was unusable/);
    });

    it("refuses a port that is taken, with the number", async () => {
        await using server = await started(join(scratch, "shared"));
        const second = startPostgres({ dataDirectory: join(scratch, "port"), port: server.port });
        await expect(second).rejects.toThrow(`Port ${server.port} is taken`);
    });

    it("gives up starting when told to", async () => {
        const start = startPostgres({ dataDirectory: join(scratch, "aborted"), signal: AbortSignal.abort() });
        await expect(start).rejects.toThrow(/abort/i);
    });

    it("is removed only when nobody uses it", async () => {
        const place = expendable();
        const server = await started(place);
        await expect(removePostgres(place)).rejects.toThrow(/a running process uses this database/);
        await server.stop();
        await removePostgres(place);
        await expect(stat(place)).rejects.toThrow(/ENOENT/);
    });

    it("runs from a package whose install script did not run", async () => {
        const natives = await bareNatives("bare");
        await using server = await started(join(scratch, "bare-data"), natives);
        expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
        expect((await lstat(join(natives, "lib", "libpq.so.5"))).isSymbolicLink()).toBe(true);
    });
});

describe.skipIf(!isRoot)("the embedded Postgres, started by root", () => {
    it("runs as an account without rights", async () => {
        await using server = await started(join(scratch, "shared"));
        expect((await stat(server.data)).uid).toBe(serverAccount()!.uid);
    });

    it("finds another place for what its account may not enter, and says so", async () => {
        const closed = join(scratch, "closed");
        await mkdir(closed, { mode: 0o700 });
        const natives = await bareNatives("closed");
        const usual = process.env.TMPDIR;
        process.env.TMPDIR = join(scratch, "tmp");
        await mkdir(process.env.TMPDIR, { recursive: true });
        notes.length = 0;
        try {
            const dataDirectory = join(closed, "target", "sandbox");
            const server = await startPostgres({ dataDirectory, natives, note });
            expect(await ask(server, "select 1 as one")).toEqual([{ one: 1 }]);
            await server.stop();
            expect(notes[0]).toMatch(/cannot run it there, so the sandbox runs a copy of Postgres in/);
            expect(notes[1]).toMatch(/may not enter .*closed, so the sandbox's data stand in/);
            const again = await startPostgres({ dataDirectory, natives, note });
            expect(again.data).toBe(server.data);
            await again.stop();
            // A folder that is gone will not be asked for: its substitute goes with the next one.
            await rm(dataDirectory, { recursive: true });
            const next = await startPostgres({ dataDirectory: join(closed, "next"), natives, note });
            await expect(stat(server.data)).rejects.toThrow(/ENOENT/);
            await next.stop();
            await removePostgres(join(closed, "next"));
            await expect(stat(next.data)).rejects.toThrow(/ENOENT/);
        } finally {
            if (usual === undefined) delete process.env.TMPDIR;
            else process.env.TMPDIR = usual;
        }
    });

    it("serves a plain user too, who may not write where the package stands", async () => {
        const { uid, gid } = serverAccount()!;
        const home = join(scratch, "plain");
        await mkdir(home);
        await chown(home, uid, gid);
        const natives = await bareNatives("roots");
        const child = startChild(join(home, "target"), natives, {
            uid,
            gid,
            env: { ...process.env, TMPDIR: home, HOME: home },
        });
        const { url } = await firstLine(child);
        expect(await ask({ url }, "select 1 as one")).toEqual([{ one: 1 }]);
        expect((await stat(join(home, `racealpha-sandbox-${uid}`, "natives"))).uid).toBe(uid);
        child.kill("SIGTERM");
    });
});

async function started(dataDirectory: string, natives?: string): Promise<RunningPostgres & AsyncDisposable> {
    const server = await startPostgres({ dataDirectory, note, ...(natives !== undefined && { natives }) });
    return { ...server, [Symbol.asyncDispose]: server.stop };
}

async function ask(server: { readonly url: string }, sql: string): Promise<readonly unknown[]> {
    return withClient({ url: server.url }, async (client) => (await client.query(sql)).rows);
}

function startChild(
    place: string,
    natives?: string,
    options: { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
    const settings = natives === undefined ? [place] : [place, natives];
    const child = spawn(process.execPath, ["--import", "tsx", script, ...settings], {
        stdio: ["ignore", "pipe", "pipe"],
        ...options,
    });
    child.stderr!.on("data", (text) => notes.push(String(text)));
    children.push(child);
    return child;
}

async function firstLine(child: ChildProcess): Promise<{ port: number; url: string }> {
    const [line] = (await Promise.race([
        once(child.stdout!, "data"),
        once(child, "exit").then(() => {
            throw new Error(`the process ended before the server was up: ${notes.at(-1)}`);
        }),
    ])) as [Buffer];
    return JSON.parse(line.toString());
}

/** The package's programs as a package manager leaves them that runs no install scripts. */
async function bareNatives(name: string): Promise<string> {
    const source = locateNatives();
    const parent = join(scratch, name, "package");
    await mkdir(parent, { recursive: true });
    await cp(join(source, "..", "package.json"), join(parent, "package.json"));
    await cp(source, join(parent, "native"), {
        recursive: true,
        filter: async (path) => !(await lstat(path)).isSymbolicLink(),
    });
    for (const program of await readdir(join(parent, "native", "bin"))) {
        await chmod(join(parent, "native", "bin", program), 0o644);
    }
    return join(parent, "native");
}
