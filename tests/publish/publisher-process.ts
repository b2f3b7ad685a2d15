/**
 * A publisher of its own, for tests that kill it: `publisher-process.ts URL GENERATION STEP [OCCURRENCE] [MODE]`
 * kills itself, without a farewell, before that step; with the step `never` it publishes. Prints its steps.
 */
import { fillStable, inMode, publish, withMemoryWarehouse } from "./world.ts";

const [url, generation, lethalStep, occurrence = "1", mode = "swap"] = process.argv.slice(2);
let seen = 0;

await withMemoryWarehouse(async (warehouse) => {
    await fillStable(warehouse, Number(generation));
    await publish({
        url: url!,
        warehouse,
        models: inMode(mode === "diff" ? "diff" : "swap"),
        settings: { swapTimeoutSeconds: 30 },
        onStep: (step) => {
            console.log(step);
            if (step === lethalStep && ++seen === Number(occurrence)) process.kill(process.pid, "SIGKILL");
        },
    });
});
