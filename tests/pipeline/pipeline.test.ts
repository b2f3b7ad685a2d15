import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../runner/postgres/connect.ts";
import { prepareDatabase } from "../../sandbox/load/schema.ts";
import { ensureWorld } from "../../sandbox/sandbox.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";
import { type Outcome, rebuild } from "../runner/command-line.ts";
import { copyProject, type ProjectCopy } from "./project-copy.ts";

/** The views that programs of users read: columns and order are a contract. */
const views = {
    horse_current_form:
        "horse_slug last_5_win_rate last_5_place_rate last_5_avg_position form_momentum last_race_date days_since_last_race total_races wins places win_percentage place_percentage consistency_score runs_last_60_days runs_last_90_days avg_days_between_runs current_elo running_style avg_early_position_800m avg_pos_400m avg_late_surge early_speed_score closing_ability_score avg_pos_200m early_speed_pct strong_finish_pct pos_volatility_800 finishing_kick_consistency avg_sectional_400m avg_sectional_800m avg_cumulative_800m sectional_time_consistency early_vs_mid_pace_change historical_speed_vs_field",
    jockey_current_form:
        "jockey_slug total_rides wins places win_percentage place_percentage avg_position_20 avg_position_50 last_20_win_rate last_50_win_rate days_since_last_ride",
    trainer_current_form:
        "trainer_slug total_runners wins places win_percentage place_percentage avg_position_50 avg_position_100 last_50_win_rate last_100_win_rate days_since_last_runner",
    jockey_horse_connection_stats:
        "horse_slug jockey_slug connection_races connection_wins connection_places connection_win_rate connection_place_rate last_ride_together strong_connection",
    jockey_trainer_connection_stats:
        "jockey_slug trainer_slug connection_races connection_wins connection_places connection_win_rate connection_place_rate last_ride_together strong_connection",
};

describe("the whole job on a simulated world", () => {
    let database: TestDatabase;
    let project: ProjectCopy;
    let first: Outcome;
    const command = (...args: readonly string[]) =>
        rebuild(args, { cwd: project.root, env: { DATABASE_URL: database.url } });
    const query = <Row>(sql: string) =>
        withClient({ url: database.url }, async (client) => (await client.query<Row>(sql)).rows);

    beforeAll(async () => {
        database = await createDatabase("pipeline");
        project = await copyProject();
        await withClient({ url: database.url }, prepareDatabase);
        await ensureWorld(database.url, { seed: 3, races: 1500 });
        first = await command("run");
        // The runs that follow replay one day in place of five: what they show is something else.
        const settings = join(project.root, "rebuild.yml");
        await writeFile(settings, `${await readFile(settings, "utf8")}\naudit: { days: 1 }\n`);
    });
    afterAll(async () => {
        await project.remove();
        await database.drop();
    });

    it("builds, tests and publishes, and says so without the password", async () => {
        expect(first.stdout).toContain("Done.");
        expect(first.code).toBe(0);
        const [line] = first.stdout.split("\n");
        const { password, host } = new URL(database.url);
        expect(line).toContain(`target production, from and to postgres://postgres@${host}`);
        expect(first.stdout + first.stderr).not.toContain(password);
        expect(first.stdout).toMatch(
            /Next:\n.*rebuild show race_training_dataset [^\n]*\n[^\n]*--select \w+\+[^\n]*\n[^\n]*rebuild test/,
        );
    });

    it("publishes the dataset with its key, the upcoming races and the five views", async () => {
        const [counts] = await query<Record<string, number>>(`
            select count(*)::int as rows, count(distinct (race_id, horse_slug))::int as keys,
                   count(*) filter (where final_position = 1)::int as winners, max(race_date) < current_date as is_past
            from race_training_dataset`);
        expect(counts!.rows).toBeGreaterThan(10_000);
        expect(counts!.keys).toBe(counts!.rows);
        expect(counts!.winners).toBeGreaterThan(1300);
        expect(counts!.is_past).toBe(true);
        const upcoming = await query<{ rows: number }>(
            "select count(*)::int as rows from race_upcoming_dataset",
        );
        expect(upcoming[0]!.rows).toBeGreaterThan(50);
        const columns = await query<{ name: string }>(
            "select attname as name from pg_attribute where attrelid = 'race_training_dataset'::regclass and attnum > 0",
        );
        expect(columns.length).toBeGreaterThan(80);
        for (const [view, expected] of Object.entries(views)) {
            const found = await query<{ name: string }>(
                `select attname as name from pg_attribute where attrelid = '${view}'::regclass and attnum > 0 order by attnum`,
            );
            expect(found.map(({ name }) => name).join(" ")).toBe(expected);
            const [size] = await query<{ rows: number }>(`select count(*)::int as rows from ${view}`);
            expect(size!.rows).toBeGreaterThan(50);
            await query(`refresh materialized view concurrently ${view}`);
        }
    });

    it("publishes the dictionary: every column says its tier, what it means and what NULL is", async () => {
        const comments = await query<{ name: string; comment: string | null }>(`
            select relation.relname || '.' || attname as name, col_description(attrelid, attnum) as comment
            from pg_attribute join pg_class as relation on relation.oid = attrelid
            where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
                and (relname in ('race_training_dataset', 'race_upcoming_dataset')
                    or relname in (${Object.keys(views)
                        .map((view) => `'${view}'`)
                        .join(", ")}))`);
        expect(comments.length).toBeGreaterThan(700);
        const silent = comments.filter(
            ({ comment }) => !/^.{8,} \(tier: \w+; unit: [^;]+; .*NULL.*\)$/.test(comment ?? ""),
        );
        expect(silent).toEqual([]);
        const said = new Map(comments.map(({ name, comment }) => [name, comment]));
        expect(said.get("race_training_dataset.win_percentage")).toMatch(
            /\(tier: history; unit: percentage; 0 to 100; NULL: no earlier start\.\)$/,
        );
        expect(said.get("race_training_dataset.market_probability")).toMatch(/\(tier: market; /);
        expect(said.get("jockey_current_form.days_since_last_ride")).toMatch(/\(tier: history; /);
    });

    it("replays five days before it publishes, and records that with the generation", async () => {
        expect(first.stdout).toMatch(/6 of 6 PASS replayed/);
        expect(first.stdout).toMatch(/Replayed +5 days, .* values compared: none differs/);
        const page = await readFile(join(project.root, "target/audit.txt"), "utf8");
        expect(page).toMatch(/^PASSED\. 6 replays, /m);
        expect(page).toContain("race_results: known after races.race_date: position, finish_status, margin");
        expect(page).not.toContain("NOT DECLARED");
        const [generation] = JSON.parse((await command("generations", "--json")).stdout);
        expect(generation.audit).toMatchObject({ passed: true, replays: 6, seed: 1 });
        expect(generation.audit.days).toHaveLength(5);
    });

    it("replays what is asked for, against the last good warehouse", async () => {
        const { code, stdout } = await command("audit", "--days", "2", "--model", "form", "--json");
        expect(code).toBe(0);
        expect(JSON.parse(stdout).audit).toMatchObject({ passed: true, replays: 2, models: 1 });
        const page = await readFile(join(project.root, "target/audit.txt"), "utf8");
        expect(page).toContain("rebuild audit --target production --days 2 --seed 1 --model form");
        const none = await command("audit", "--model", "runners");
        expect(none.code).toBe(2);
        expect(none.stderr).toContain("None of these models has `as_of`");
    });

    it("neither keeps nor publishes what a replay refuses, and says which races leaked", async () => {
        const file = join(project.root, "models/features/spells.sql");
        const text = await readFile(file, "utf8");
        await writeFile(
            file,
            text
                .replace("previous_starts.is_first_up,", "coalesce(runners.is_win, false) as is_first_up,")
                .replace(
                    /^where previous_starts.race_id is not null\norder by runner_id/m,
                    'inner join {{ref "runners"}} as runners on previous_starts.runner_id = runners.runner_id\norder by previous_starts.runner_id',
                ),
        );
        const { code, stdout } = await command("run", "--select", "spells");
        await writeFile(file, text);
        expect(code).toBe(1);
        expect(stdout).toMatch(
            /spells \(models\/features\/spells\.sql\) differs in is_first_up \([\d,]+ rows?\)/,
        );
        expect(stdout).toMatch(/is_first_up is true in the full build, and false when replayed/);
        expect(stdout).toMatch(/it comes from races race_id \d+ of .*: its own/);
        expect(stdout).toContain("nothing: what was in service is untouched");
        const [generation] = JSON.parse((await command("generations", "--json")).stdout);
        expect(generation).toMatchObject({ id: 1, state: "live" });
    });

    it("gives the same rows a second time, and loads nothing again", async () => {
        const hash =
            "select md5(string_agg(row::text, '' order by race_id, horse_slug)) as hash from race_training_dataset as row";
        const before = await query<{ hash: string }>(hash);
        const second = await command("run");
        expect(second.code).toBe(0);
        expect(await query<{ hash: string }>(hash)).toEqual(before);
        expect(second.stdout).toMatch(/unchanged, not loaded again: .*race_training_dataset/);
        expect(second.stdout).toContain("generation 1, without a swap");
    });

    it("publishes no minus zero, which storage may turn into zero in one run and not in the next", async () => {
        const columns = await query<{ name: string }>(
            `select quote_ident(attname) as name from pg_attribute
             where attrelid = 'race_training_dataset'::regclass and attnum > 0
               and atttypid in ('real'::regtype, 'double precision'::regtype)`,
        );
        const counts = columns.map(({ name }) => `count(*) filter (where ${name}::text = '-0') as ${name}`);
        const [found] = await query<Record<string, bigint>>(
            `select ${counts.join(", ")} from race_training_dataset`,
        );
        expect(Object.entries(found!).filter(([, count]) => Number(count) > 0)).toEqual([]);
    });

    it("rebuilds a part, shows its publish before it is made, and keeps the generation before", async () => {
        const part = await command(
            ...["run", "--select", "career+", "--vars", "{low_sample_starts: 3}", "--no-publish"],
        );
        expect(part.code).toBe(0);
        const dry = await command("publish", "--dry-run");
        expect(dry.stdout).toMatch(/-- replace: table public\.race_training_dataset, \d+ columns/);
        const { code, stdout } = await command("publish");
        expect(stdout).toMatch(/OK published table public\.race_training_dataset/);
        expect(code).toBe(0);
        const kept = await query<{ name: string }>(
            "select relname as name from pg_class where relnamespace = 'rebuild_archive'::regnamespace and relkind in ('r', 'm')",
        );
        expect(kept.filter(({ name }) => name.startsWith("race_training_dataset"))).toHaveLength(1);
    });

    it("lists generations and goes back to one", async () => {
        const list = async () => JSON.parse((await command("generations", "--json")).stdout);
        const before = await list();
        // The first generation still serves what did not change.
        const states = before.map(({ state }: { state: string }) => state);
        expect(states).toEqual(["live", "live"]);
        const back = await command("rollback");
        expect(back.stdout).toMatch(/Published +generation \d+, .*public\.race_training_dataset/);
        expect(back.code).toBe(0);
        expect((await list())[0]).toMatchObject({ kind: "rollback", state: "live" });
        expect((await command("generations")).stdout).toMatch(/rollback +\w+ +live/);
        expect((await command("rollback", "--to", "99")).code).toBe(1);
    });

    it("does what the README says of a feature in five minutes", async () => {
        const readme = await readFile(join(project.root, "README.md"), "utf8");
        const blocks = [
            ...readme.matchAll(/```(?:sql|yaml)\n(\S* *(models\/\S+?\.(?:sql|yml))[\s\S]*?)```/g),
        ];
        expect(blocks.map(([, , file]) => file)).toEqual([
            "models/features/weekday.sql",
            "models/features/weekday.yml",
        ]);
        for (const [, text, file] of blocks) {
            await mkdir(dirname(join(project.root, file!)), { recursive: true });
            await writeFile(join(project.root, file!), text!);
        }
        const commands = [...readme.matchAll(/^npx rebuild (.*weekday.*?) *(?:#.*)?$/gm)].map(([, text]) =>
            text!.trim(),
        );
        expect(commands).toHaveLength(2);
        for (const text of commands) {
            const { code, stdout, stderr } = await command(...text.split(" "));
            expect(stdout + stderr).toContain("weekday");
            expect(code).toBe(0);
        }
    });
});
