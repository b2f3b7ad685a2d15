import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresClient, withClient } from "../../runner/postgres/connect.ts";
import { worldPieces } from "../../sandbox/load/load-world.ts";
import { ensureWorld, openSandbox, type Sandbox } from "../../sandbox/sandbox.ts";
import type { WorldSettings } from "../../sandbox/world/simulate.ts";

// Two years that a 29 February lies in.
const settings = { seed: 7, races: 4000, today: "2024-06-03" };

describe("a simulated world", () => {
    it("is the same, byte by byte, for the same seed", () => {
        const small = { ...settings, races: 400 };
        expect(digest(small)).toBe(digest(small));
    });

    it("differs for another seed and for another day", () => {
        const small = { ...settings, races: 400 };
        const digests = [small, { ...small, seed: 8 }, { ...small, today: "2024-06-04" }].map(digest);
        expect(new Set(digests).size).toBe(3);
    });
});

describe("the source tables of a simulated world", () => {
    let root: string;
    let sandbox: Sandbox;

    beforeAll(async () => {
        root = await mkdtemp(join(tmpdir(), "sandbox-world-"));
        // Where tests run as root, the server's account has to pass.
        await chmod(root, 0o755);
        sandbox = await openSandbox({ root });
        await ensureWorld(sandbox.url, settings);
    });

    afterAll(async () => {
        await sandbox?.stop();
        await rm(root, { recursive: true, force: true });
    });

    const ask = async <Row>(sql: string): Promise<readonly Row[]> =>
        withClient(
            { url: sandbox.url },
            async (client: PostgresClient) => (await client.query<Row>(sql)).rows,
        );

    it("hold as many races as asked for, those of the coming week among them", async () => {
        const [row] = await ask(`
            select count(*)::int as races,
                   count(*) filter (where race_date >= '2024-06-03')::int > 20 as has_upcoming,
                   max(race_date) < '2024-06-10' as ends_within_a_week
            from races`);
        expect(row).toEqual({ races: 4000, has_upcoming: true, ends_within_a_week: true });
    });

    it("have the types and keys that the contract names", async () => {
        const columns = await ask<{ name: string; type: string }>(`
            select attrelid::regclass || '.' || attname as name, format_type(atttypid, atttypmod) as type
            from pg_attribute
            where attrelid in ('races'::regclass, 'race_results'::regclass, 'sectional_times'::regclass) and attnum > 0`);
        const types = Object.fromEntries(columns.map(({ name, type }) => [name, type]));
        expect(types).toMatchObject({
            "races.race_id": "bigint",
            "races.race_date": "date",
            "race_results.position": "smallint",
            "race_results.original_weight": "numeric(4,1)",
            "race_results.updated_at": "timestamp with time zone",
            "sectional_times.position_3000m": "smallint",
            "sectional_times.cumulative_200m": "interval",
            "sectional_times.finish_time": "interval",
        });
        const keys = await ask(`
            select conrelid::regclass || ': ' || pg_get_constraintdef(oid) as key from pg_constraint
            where contype in ('p', 'f') and connamespace = 'public'::regnamespace order by 1`);
        expect(keys).toEqual([
            { key: "race_results: FOREIGN KEY (race_id) REFERENCES races(race_id)" },
            { key: "race_results: PRIMARY KEY (id)" },
            { key: "races: PRIMARY KEY (race_id)" },
        ]);
    });

    // One statement an oddity: how many cases of it there are.
    const oddities: Readonly<Record<string, string>> = {
        "dead heats of winners": `
            select race_id from race_results where position = 1
            group by race_id having count(distinct horse_slug) = 2`,
        "places skipped after a dead heat": `
            select one.race_id from race_results one
            where one.position > 2 and not exists (
                select from race_results other
                where other.race_id = one.race_id and other.position = one.position - 1)`,
        "non-finishers without a position":
            "select from race_results where finish_status = 'FELL' and position is null",
        "non-finishers with a sentinel":
            "select from race_results where finish_status = 'PULLED_UP' and position >= 50",
        disqualified: "select from race_results where finish_status = 'DSQ'",
        scratched: "select from race_results where finish_status = 'SCRATCHED' and position is null",
        "scratched late": "select from race_results where finish_status = 'LATE_SCRATCHED'",
        "scratched from races still to come": `
            select from race_results join races using (race_id)
            where race_date >= '2024-06-03' and finish_status like '%SCRATCHED'`,
        "abandoned races": `
            select race_id from race_results join races using (race_id) where race_date < '2024-06-03'
            group by race_id having count(position) = 0`,
        "full duplicates": `
            select race_id, horse_slug from race_results group by race_id, horse_slug
            having count(*) > 1 and count(distinct (position, margin, updated_at)) = 1 and count(position) > 0`,
        "conflicting duplicates with a later correction": `
            select race_id, horse_slug from race_results group by race_id, horse_slug
            having count(distinct position) > 1 and count(distinct updated_at) > 1`,
        "duplicates among the sectional times": `
            select race_id, horse_name from sectional_times group by race_id, horse_name having count(*) > 1`,
        "several runners of a stable in a race": `
            select race_id, trainer_slug from race_results
            group by race_id, trainer_slug having count(distinct horse_slug) > 2`,
        "jockeys with seven rides on a day": `
            select jockey_slug, race_date from race_results join races using (race_id)
            where jockey_slug is not null group by jockey_slug, race_date having count(distinct race_id) >= 7`,
        "namesakes in two countries": `
            select horse_slug from race_results group by horse_slug
            having count(distinct trainer_slug) > 1 and min(horse_name) = max(horse_name)`,
        "horses that travel": `
            select horse_slug from race_results join races using (race_id) group by horse_slug
            having bool_or(track_name in ('Sha Tin', 'Happy Valley')) and bool_or(track_name not in ('Sha Tin', 'Happy Valley'))`,
        "names with a sponsor":
            "select from races where track_name in ('Royal Randwick', 'Ladbrokes Geelong', 'Sportsbet-Ballarat')",
        "tracks that no list knows": "select from races where track_name = 'Wombat Flat'",
        "numbers such as 1A": "select from race_results where horse_number = '1A'",
        "empty numbers": "select from race_results where horse_number = ''",
        "sectional times without a number":
            "select from sectional_times where coalesce(horse_number, '') = ''",
        "entities in names": "select from sectional_times where horse_name like '%&#39;%'",
        "names beyond ASCII":
            "select from race_results where horse_name ~ '[^[:ascii:]]' and horse_slug !~ '[^[:ascii:]]'",
        "races with part of their field timed": `
            select race_id from sectional_times group by race_id
            having count(*) < (select count(position) from race_results r where r.race_id = sectional_times.race_id) - 1`,
        "non-finishers timed on the way":
            "select from sectional_times where finish_time is null and position_400m is not null",
        "races without sectional times":
            "select from races where race_id not in (select race_id from sectional_times)",
        "Hong Kong's sections of 400 m": `
            select from sectional_times join races using (race_id)
            where track_name = 'Happy Valley' and race_distance = 1650
              and cumulative_400m is not null and cumulative_600m is null and cumulative_800m is not null`,
        "sections of 200 m": `
            select from sectional_times join races using (race_id)
            where track_name = 'Flemington' and cumulative_400m is not null and cumulative_600m is not null`,
        "positions to go":
            "select from race_results where position_800m is not null and position_400m is not null",
        "missing positions to go": "select from race_results where position = 1 and position_400m is null",
        "races without odds": "select race_id from race_results group by race_id having count(win_odds) = 0",
        "single missing odds": `
            select race_id from race_results where coalesce(finish_status, '') not like '%SCRATCHED'
            group by race_id having count(win_odds) = count(*) - 1 and count(*) > 3`,
        "fields of two":
            "select race_id from race_results group by race_id having count(distinct horse_slug) = 2",
        "fields of sixteen and more":
            "select race_id from race_results group by race_id having count(distinct horse_slug) >= 16",
        "unknown distances": "select from races where race_distance is null",
        "unknown classes": "select from races where race_class is null",
        "synthetic tracks without a going":
            "select from races where surface = 'Synthetic' and track_condition is null",
        "goings in Hong Kong's words":
            "select from races where track_condition = 'GOOD TO FIRM' and track_name = 'Sha Tin'",
        "goings with and without a number":
            "select from races where track_condition in ('Good', 'Good4', 'soft 5')",
        "rails moved out": "select from races where track_info like 'RAIL - Out %m'",
        "races on the 29th of February": "select from races where race_date = '2024-02-29'",
        "classes of a rating band": "select from races where race_class = 'Class 4 (60-40)'",
        "prize money of runners": "select from race_results where position = 1 and prize_money > 0",
        "rows in order of finish": `
            select race_id from race_results where position < 50
            group by race_id having count(*) > 5
                and array_agg(position order by id) = array_agg(position order by position)`,
    };

    it.each(Object.keys(oddities))("have %s", async (name) => {
        const [row] = await ask<{ cases: number }>(
            `select count(*)::int as cases from (${oddities[name]}) as found`,
        );
        expect(row!.cases).toBeGreaterThan(0);
    });

    it("never have two horses of one name, or one jockey twice, in a race", async () => {
        const rows = await ask(`
            select race_id from race_results group by race_id, horse_slug
            having count(distinct (horse_number, trainer_slug, original_weight)) > 1
            union all
            select race_id from race_results where jockey_slug is not null
            group by race_id, jockey_slug having count(distinct horse_slug) > 1`);
        expect(rows).toEqual([]);
    });

    it("know no outcome of a race still to come", async () => {
        const rows = await ask(
            `
            select from race_results join races using (race_id)
            where race_date >= '2024-06-03' and (
                coalesce(position, position_800m, position_400m) is not null or margin is not null
                or prize_results.prize_money is not null or finish_status not in ('SCRATCHED', 'LATE_SCRATCHED'))`.replaceAll(
                "prize_results",
                "race_results",
            ),
        );
        expect(rows).toEqual([]);
    });

    it("have times that grow on the way", async () => {
        const rows = await ask(`
            select from sectional_times
            where cumulative_400m <= cumulative_200m or cumulative_1000m <= cumulative_600m
               or finish_time < cumulative_1000m or finish_time < cumulative_2000m
               or sectional_600m <> cumulative_600m - coalesce(cumulative_400m, cumulative_200m)`);
        expect(rows).toEqual([]);
    });

    it("are decided by ability, which the market sees in part", async () => {
        const [row] = await ask<{ correlation: number; favourites: number; r2: number }>(`
            with priced as (
                select distinct on (race_id, horse_slug) race_id, horse_slug, position, win_odds
                from race_results where win_odds is not null and position < 50 order by race_id, horse_slug, id desc
            ), ranked as (
                select *, rank() over field as favour, count(*) over (partition by race_id) as runners,
                    1 / win_odds / sum(1 / win_odds) over (partition by race_id) as probability
                from priced window field as (partition by race_id order by win_odds)
            )
            select corr(favour, position) as correlation,
                (count(*) filter (where favour = 1 and position = 1))::float / count(*) filter (where position = 1) as favourites,
                1 - (sum(ln(probability)) filter (where position = 1) / sum(ln(1.0 / runners)) filter (where position = 1))::float as r2
            from ranked where runners > 4`);
        expect(row!.correlation).toBeGreaterThan(0.35);
        expect(row!.favourites).toBeGreaterThan(0.27);
        expect(row!.favourites).toBeLessThan(0.4);
        expect(row!.r2).toBeGreaterThan(0.12);
        expect(row!.r2).toBeLessThan(0.22);
    });

    it("repay knowing a horse's past", async () => {
        const [row] = await ask<{ correlation: number }>(`
            with runs as (
                select race_id, horse_slug, beaten, avg(beaten) over (partition by horse_slug order by race_id
                    rows between 5 preceding and 1 preceding) as before
                from (select race_id, horse_slug, percent_rank() over (partition by race_id order by position) as beaten
                      from race_results where position < 50) as finishes
            )
            select corr(before, beaten) as correlation from runs`);
        expect(row!.correlation).toBeGreaterThan(0.08);
    });
});

function digest(world: WorldSettings): string {
    const hash = createHash("sha256");
    for (const { table, bytes } of worldPieces(world)) hash.update(String(table)).update(bytes);
    return hash.digest("hex");
}
