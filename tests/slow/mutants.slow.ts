import { expect, test } from "vitest";
import { perturbations } from "../../runner/testing/replay/perturbation.ts";
import { describeScore, judgeClean, judgeMutants } from "../leakage/judge-variants.ts";
import { mutants } from "../leakage/mutants/all.ts";
import { cleanVariants } from "../leakage/mutants/clean.ts";
import { type VariantWorld, withVariantWorld } from "../leakage/variant-world.ts";

/** Races; a run takes more, and shows more. */
const slice = 400;

test("every leaky variant is caught on a slice of the history, with its race, and every clean one passes", async () => {
    const judge = async (world: VariantWorld) => {
        const caught = await judgeMutants(world, mutants);
        const passed = await judgeClean(world, cleanVariants, perturbations);
        const all = [...caught, ...passed];
        const lines = all.map(({ report, objections }) => [report, ...objections].join("\n    "));
        process.stdout.write(`${[...lines, describeScore(caught, passed)].join("\n")}\n`);
        expect(all.filter(({ objections }) => objections.length > 0)).toEqual([]);
        expect(caught.length).toBeGreaterThanOrEqual(40);
        expect(passed.length).toBeGreaterThanOrEqual(10);
    };
    await withVariantWorld([...mutants, ...cleanVariants], judge, { slice });
});
