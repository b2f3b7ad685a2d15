import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { lintProject } from "../../runner/compile/lint/lint-project.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { Project } from "../../runner/project/project.ts";
import { changeText } from "./combine-variants.ts";
import { mutants } from "./mutants/all.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const load = () => loadProject({ root, env: {}, target: "files" });

const rulesOf = (project: Project) =>
    lintProject(project, compileProject(project)).flatMap(({ rule, accepted }) =>
        accepted === undefined ? [rule] : [],
    );

test("what the lint points at in this project is accepted with a reason, and there is something", async () => {
    const project = await load();
    const found = lintProject(project, compileProject(project));
    expect(found.filter(({ accepted }) => accepted === undefined)).toEqual([]);
    expect(found.length).toBeGreaterThan(5);
});

/** Leaks of form, which can be seen in the SQL; those of meaning only the replay sees. */
const seen: Readonly<Record<string, string>> = {
    trainer_rows_by_race: "frame-not-by-day",
    jockey_rows_by_race: "frame-not-by-day",
    trainer_track_with_today: "current-row",
    jockey_distance_over_all: "reads-ahead",
    pairs_with_today: "current-row",
    pairs_by_race: "frame-not-by-day",
    career_off_by_a_day: "current-row",
    form_today_counted: "clock",
    recent_runs_with_today: "current-row",
    class_of_the_next_race: "reads-ahead",
    distance_with_today: "current-row",
    track_rows_by_date: "current-row, tie-break",
    days_to_the_next_race: "reads-ahead",
    market_history_with_today: "current-row",
    prior_of_the_whole_history: "reads-ahead",
    prior_with_today: "current-row",
    barrier_rows_by_race: "frame-not-by-day",
    barrier_of_all_races: "reads-ahead",
    tie_broken_by_the_id: "tie-break",
    figures_with_this_race: "current-row",
};

test("leaky variants of a risky form are pointed at before anything is built", async () => {
    const project = await load();
    const found = Object.keys(seen).map((name) => {
        const mutant = mutants.find((one) => one.name === name)!;
        return [name, [...new Set(rulesOf(changeText(project, mutant)))].sort().join(", ")];
    });
    expect(Object.fromEntries(found)).toEqual(seen);
});
