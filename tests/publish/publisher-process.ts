/**
 * A publisher of its own, for tests that kill it: `publisher-process.ts URL`. It makes itself ready, says so, and
 * reads one order from stdin; then it says each step as it comes to it, and kills itself, without a farewell,
 * where the order says so.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { rollback } from "../../runner/publish/rollback.ts";
import type { PublisherOrder } from "./publishers.ts";
import { connectionTo, fillStable, inMode, publish, withMemoryWarehouse } from "./world.ts";

const url = process.argv[2]!;
// Written at once: whoever kills us wants to know where we are.
const say = (line: string) => writeSync(1, `${line}\n`);

await withMemoryWarehouse(async (warehouse) => {
    say("ready");
    const lines = createInterface({ input: process.stdin });
    const line = await new Promise<string>((resolve) => lines.once("line", resolve));
    lines.close();
    const { generation, rows, mode, lethal } = JSON.parse(line) as PublisherOrder;
    let seen = 0;
    const onStep = (step: string) => {
        say(step);
        if (step === lethal?.step && ++seen === lethal.occurrence) process.kill(process.pid, "SIGKILL");
    };
    const settings = { swapTimeoutSeconds: 30 };
    if (mode === "rollback") {
        say("rollback");
        await rollback({
            connection: connectionTo(url, settings),
            ...{ run: { id: "test", startedAt: new Date() }, report: () => undefined },
            signal: new AbortController().signal,
        });
        say("swapped");
    } else {
        await fillStable(warehouse, generation, rows);
        await publish({ url, warehouse, models: inMode(mode), settings, onStep });
    }
});
