import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { linkProject } from "../../bench/link-project.ts";
import { withClient } from "../../runner/postgres/connect.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { resetWorld } from "../../sandbox/sandbox.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { canBeProcessOne, type StoppedProcess, stopAfter } from "./stopped-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** So many start side by side, each signalled later than the one before: they are each other's load. */
const together = 4;
const stepMs = 100;
/**
 * From the signal to the end. With a core of its own a process ends in as many seconds; it was 1.2 while the project's
 * files were read and compiled in one go, and is 0.25 at most now.
 */
const limitCpuSeconds = 0.6;

interface Place {
    readonly folder: string;
    readonly database: TestDatabase;
}

async function createPlace(): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), "rebuild-start-"));
    const database = await createDatabase("start");
    linkProject(folder);
    await withClient({ url: database.url }, prepareDatabase);
    await resetWorld(database.url, { size: 200 });
    return { folder, database };
}

function stopIn({ folder, database }: Place, afterMs: number): Promise<StoppedProcess> {
    const { PATH = "", HOME = "" } = process.env;
    const env = {
        PATH,
        HOME,
        REBUILD_ENV_FILE: "",
        DATABASE_URL: database.url,
        LOG_FORMAT: "json",
        // As in a container that is read-only.
        TSX_DISABLE_CACHE: "1",
    };
    const command = [join(root, "bin/rebuild.js"), "run", "--target", "small"];
    return stopAfter(command, { cwd: folder, env }, afterMs);
}

const hasBegun = ({ printed }: StoppedProcess) => printed.includes('"run-start"');

test("SIGTERM is heard at every moment of a start, while the program, the project and its models are loaded", async () => {
    const places = await Promise.all(Array.from({ length: together }, createPlace));
    try {
        const ended: StoppedProcess[] = [];
        // Until all of them were signalled in a run that had begun.
        while (!ended.slice(-together).some(hasBegun) || ended.length < together * 4) {
            const first = ended.length;
            const stopped = places.map((place, index) => stopIn(place, (first + index) * stepMs));
            ended.push(...(await Promise.all(stopped)));
        }
        const most = (of: "cpuSeconds" | "wallSeconds") =>
            Math.max(...ended.map((one) => one[of])).toFixed(2);
        console.log(
            `${ended.length} starts stopped${canBeProcessOne ? " as process 1" : ""}: ${most("cpuSeconds")} s of CPU at most, ` +
                `${most("wallSeconds")} s by the clock with ${together} side by side`,
        );
        expect(ended.filter(({ code }) => code !== 130)).toEqual([]);
        expect(ended.filter(({ cpuSeconds }) => cpuSeconds > limitCpuSeconds)).toEqual([]);
        // From the first moment on.
        expect(ended[0]!.printed).toBe("listening\n");
        for (const { folder } of places) {
            const names = await readdir(join(folder, "target")).catch(() => []);
            expect(names.filter((name) => /^warehouse\.2|run\.lock\.json|\.tmp$/.test(name))).toEqual([]);
        }
    } finally {
        for (const { folder, database } of places) {
            await database.drop();
            await rm(folder, { recursive: true, force: true });
        }
    }
});
