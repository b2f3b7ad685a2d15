import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { describeScore, judgeClean, judgeMutants } from "./judge-variants.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants/all.ts";
import { cleanVariants } from "./mutants/clean.ts";
import { withVariantWorld } from "./variant-world.ts";

/** A handful of each kind; tests/slow/mutants.slow.ts takes all. */
const leaky = [
    "trainer_rows_by_race",
    "career_off_by_a_day",
    "form_today_counted",
    "class_of_the_next_race",
    "distance_of_timed_runs",
    "tie_broken_by_the_finish",
    "rating_read_after_its_update",
    "rating_by_the_clock",
    "years_since",
];
const clean = ["pars_with_their_own_day", "last_of_its_day", "declared_so_far", "scratched_from_the_race"];

const named = <One extends { readonly name: string }>(all: readonly One[], names: readonly string[]) =>
    names.map((name) => all.find((one) => one.name === name)!);

test("leaky variants of the project's own models are caught, and clean ones pass", async () => {
    const [wanted, harmless] = [named(mutants, leaky), named(cleanVariants, clean)];
    const pretended: Mutant = {
        ...harmless.find(({ name }) => name === "declared_so_far")!,
        name: "pretended",
        column: "declared_starts",
        from: ["own"],
    };
    await withVariantWorld([...wanted, ...harmless, pretended], async (world) => {
        const judged = await judgeMutants(world, [...wanted, pretended]);
        const refused = judged.find(({ variant }) => variant === pretended);
        expect(refused!.objections).toContain("declared_starts is not named");
        const caught = judged.filter(({ variant }) => variant !== pretended);
        const passed = await judgeClean(world, harmless, ["cut", "replaced"]);
        process.stdout.write(`${describeScore(caught, passed)}\n`);
        const all = [...caught, ...passed];
        expect(all.filter(({ objections }) => objections.length > 0)).toEqual([]);
        expect(describeScore(caught, passed)).toBe(
            `${leaky.length} of ${leaky.length} leaky variants caught, ${clean.length} of ${clean.length} clean ones passed`,
        );
    });
}, 180_000);

test("the texts of all variants, slow ones included, stand in their files", async () => {
    const stale: string[] = [];
    for (const { name, file, replace } of [...mutants, ...cleanVariants]) {
        const text = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
        for (const [from] of replace) if (!text.includes(from)) stale.push(`${name}: ${file} lacks ${from}`);
    }
    expect(stale).toEqual([]);
});

test("a variant whose text stands in its file no longer is told by its name", async () => {
    const stale = {
        ...named(mutants, ["career_off_by_a_day"])[0]!,
        replace: [["no such text", "any"]] as const,
    };
    await expect(withVariantWorld([stale], async () => {})).rejects.toThrow(
        "career_off_by_a_day: models/base/previous_starts.sql holds no longer: no such text",
    );
});
