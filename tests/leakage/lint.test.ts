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

const openFindings = (project: Project) =>
    lintProject(project, compileProject(project)).filter(({ accepted }) => accepted === undefined);

test("what the lint points at in this project is accepted with a reason, and there is something", async () => {
    const project = await load();
    const found = lintProject(project, compileProject(project));
    expect(openFindings(project)).toEqual([]);
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
    const found: Record<string, string> = {};
    // Variants of different files do not get into each other's way: two of a file take two rounds.
    let waiting = mutants.filter(({ name }) => name in seen);
    while (waiting.length > 0) {
        const round = waiting.filter(
            ({ file }, index) => waiting.findIndex((other) => other.file === file) === index,
        );
        const findings = openFindings(round.reduce(changeText, project));
        for (const { name, file } of round) {
            const rules = findings.filter((finding) => finding.file === file).map(({ rule }) => rule);
            found[name] = [...new Set(rules)].sort().join(", ");
        }
        waiting = waiting.filter((mutant) => !round.includes(mutant));
    }
    expect(found).toEqual(seen);
});
