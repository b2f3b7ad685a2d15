/**
 * Whether everything that a container holds fits into 1 GB at the real size: `npx tsx bench/memory.ts [--events 240000]
 * [--commands run,run] [--folder target/memory] [--target small]`. Simulates the world, and starts in a control group
 * of that size (where this user may make one) the service, its health checks, and commands: the first run publishes
 * everything, the second finds nothing new to load. Postgres is outside. A folder is kept, with world and warehouse,
 * for a next time. 1 GB is 10^9 bytes: hosts mean that, or 1.07 times as much. Ends with 1 where more is needed, with 2
 * where nothing was measured.
 */
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitCodes } from "../runner/errors.ts";
import { ensureWorld, removeSandbox, withSandbox } from "../sandbox/sandbox.ts";
import { createControlGroup } from "./control-group.ts";
import { linkProject } from "./link-project.ts";
import { type StepMemory, smallContainer, withContainer } from "./memory-of-runs.ts";

const { values } = parseArgs({
    options: {
        // 2.5 million runners.
        events: { type: "string", default: "240000" },
        commands: { type: "string", default: "run,run" },
        folder: { type: "string" },
        target: { type: "string", default: "small" },
        limit: { type: "string", default: String(1e9) },
    },
});
const limit = Number(values.limit);

async function main(): Promise<void> {
    if (process.platform !== "linux") return giveUp("there is no /proc to measure by");
    const group = createControlGroup(limit);
    const isLimited = typeof group !== "string";
    console.log(
        isLimited
            ? `in a control group of ${megabytes(limit)} MB, without swap`
            : `without a control group (${group}): by resident memory alone`,
    );
    const root = resolve(values.folder ?? `target/memory-${process.pid}`);
    try {
        linkProject(root);
        await withSandbox({ root, note: console.log }, async (url) => {
            await ensureWorld(url, { races: Number(values.events), note: console.log });
            const env = { DATABASE_URL: url, REBUILD_TARGET: values.target, ...smallContainer };
            const onStep = ({ step, seconds, run, all, at }: StepMemory) =>
                console.log(`${line(step, seconds.toFixed(1), megabytes(run), megabytes(all))}  ${at}`);
            const container = { env, root, onStep, ...(isLimited && { group }) };
            await withContainer(container, async (measure) => {
                for (const command of values.commands.split(",").filter(Boolean)) {
                    console.log(line(command, "seconds", "run MB", "all MB"));
                    const { exitCode, message, steps } = await measure(...command.split(" "));
                    const isKilled = exitCode === null || (isLimited && group.killed() > 0);
                    if (isKilled || exitCode === exitCodes.outOfMemory) return fail(message);
                    if (exitCode !== 0) return giveUp(`the run failed: ${message}`);
                    const peak = Math.max(...steps.map(({ all }) => all));
                    console.log(line("peak", "", "", megabytes(peak), `of ${megabytes(limit)}`));
                    // Some of it would be taken back in need: a control group lets the kernel decide.
                    if (!isLimited && peak > limit) fail(`${megabytes(peak)} MB`);
                }
            });
        });
    } finally {
        if (isLimited) await group.remove();
        if (!values.folder) {
            await removeSandbox(root);
            await rm(root, { recursive: true, force: true });
        }
    }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
const line = (step: string, ...numbers: readonly string[]) =>
    step.padEnd(20) + numbers.map((text) => text.padStart(9)).join("");

function fail(why: string): void {
    console.error(`more than ${megabytes(limit)} MB: ${why}`);
    process.exitCode = 1;
}

function giveUp(why: string): void {
    console.error(`not measured: ${why}`);
    process.exitCode = 2;
}

// The children hear it too, and end: then what was made for them is removed.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
await main().catch((error) => giveUp(error.stack));
