/**
 * What the training dataset is worth: a conditional logit per race on the Hong Kong data, fitted on races before
 * 2002-09, combined with the market on 2002-09 to 2003-08, tested from 2003-09 on. McFadden's R2 against equal chances
 * and the share of races won by the most likely starter: for the odds alone, for all features without the market
 * tier, for both, and for each feature by itself. A single feature outside the market above 0.1, or all of them above
 * 0.9 of the odds, means a leak.
 *
 *     npx tsx bench/worth.ts target/files.duckdb [feature ...]
 */
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { parse } from "yaml";
import {
    curvature,
    estimate,
    type Feature,
    judge,
    type Races,
    type Span,
    utilities,
} from "./conditional-logit.ts";

interface Column {
    readonly name: string;
    readonly tier: string;
    readonly type: string;
}

const fitUntil = "2002-09-01";
const combineUntil = "2003-09-01";
/** Ridge on standardised features: the strength that did best on the year of combination. */
const ridges = [30, 100, 300];
/** Texts of more values than this are names, not categories. */
const mostCategories = 12;

const [path = "target/files.duckdb", ...named] = process.argv.slice(2);
const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
const connection = await instance.connect();

async function readColumn(expression: string): Promise<readonly (number | null)[]> {
    const reader = await connection.runAndReadAll(
        `select ${expression} as value from main.race_training_dataset order by race_date, race_number, race_id, horse_slug`,
    );
    return reader.getColumnsJS()[0] as (number | null)[];
}

async function readRaces(): Promise<{ races: Races; fitted: Span; combined: Span; tested: Span }> {
    const raceIds = (await readColumn("race_id::double")) as number[];
    const days = (await readColumn("(race_date - date '1970-01-01')::double")) as number[];
    const winners = (await readColumn("is_win::integer")) as number[];
    const starts = raceIds.flatMap((id, row) => (row === 0 || id !== raceIds[row - 1] ? [row] : []));
    const offsets = Int32Array.from([...starts, raceIds.length]);
    const wins = new Float64Array(raceIds.length);
    for (let race = 0; race + 1 < offsets.length; race++) {
        const [from, to] = [offsets[race]!, offsets[race + 1]!];
        const total = winners.slice(from, to).reduce((sum, win) => sum + win, 0);
        for (let row = from; row < to; row++) wins[row] = total > 0 ? winners[row]! / total : 0;
    }
    const firstOn = (date: string): number => {
        const race = starts.findIndex((row) => days[row]! >= Date.parse(date) / 86_400_000);
        return race < 0 ? starts.length : race;
    };
    const [middle, last] = [firstOn(fitUntil), firstOn(combineUntil)];
    return {
        races: { offsets, wins },
        fitted: { from: 0, to: middle },
        combined: { from: middle, to: last },
        tested: { from: last, to: starts.length },
    };
}

/** Numbers against the mean of the race in standard deviations; unknown is the mean, and a feature of its own. */
function againstRace(races: Races, values: readonly (number | null)[]): readonly Feature[] {
    const known = centred(races, values);
    const missing = values.some((value) => value === null)
        ? centred(
              races,
              values.map((value) => (value === null ? 1 : 0)),
          )
        : undefined;
    return [known, missing].filter((feature) => feature !== undefined);
}

function centred(races: Races, values: readonly (number | null)[]): Feature | undefined {
    const feature = new Float32Array(values.length);
    let squares = 0;
    for (let race = 0; race + 1 < races.offsets.length; race++) {
        const [from, to] = [races.offsets[race]!, races.offsets[race + 1]!];
        let sum = 0;
        let count = 0;
        for (let row = from; row < to; row++) {
            const value = values[row] ?? null;
            if (value === null) continue;
            sum += value;
            count++;
        }
        for (let row = from; row < to; row++) {
            const value = values[row] ?? null;
            if (value !== null) feature[row] = value - sum / count;
            squares += feature[row]! ** 2;
        }
    }
    const deviation = Math.sqrt(squares / values.length);
    // The same for the whole field: it cannot tell the starters apart.
    if (!(deviation > 1e-6)) return undefined;
    for (let row = 0; row < feature.length; row++) {
        feature[row] = Math.max(-5, Math.min(5, feature[row]! / deviation));
    }
    return feature;
}

async function readFeatures(races: Races, column: Column): Promise<readonly Feature[]> {
    if (column.type === "date") return [];
    // Counts grow with the years that are known; a doubling means the same early and late.
    const isCount = ["usmallint", "uinteger"].includes(column.type);
    const value = isCount ? `ln(1 + "${column.name}"::double)` : `"${column.name}"::double`;
    if (column.type !== "varchar") return againstRace(races, await readColumn(value));
    const reader = await connection.runAndReadAll(
        `select distinct "${column.name}" from main.race_training_dataset where "${column.name}" is not null limit ${mostCategories + 1}`,
    );
    const categories = (reader.getColumnsJS()[0] ?? []) as string[];
    if (categories.length > mostCategories) return [];
    const features = await Promise.all(
        categories.sort().map(async (category) => {
            const literal = category.replaceAll("'", "''");
            return centred(
                races,
                await readColumn(`("${column.name}" is not distinct from '${literal}')::integer`),
            );
        }),
    );
    return features.filter((feature) => feature !== undefined);
}

function fingerprint(feature: Feature): string {
    let sum = 0;
    for (let row = 0; row < feature.length; row++) sum += feature[row]! * ((row % 8191) + 1);
    return sum.toPrecision(12);
}

function print(label: string, { r2, top1 }: { r2: number; top1: number }): void {
    process.stdout.write(`${label.padEnd(44)} R2 ${r2.toFixed(4)}  top-1 ${(100 * top1).toFixed(1)} %\n`);
}

const { columns } = parse(
    readFileSync(new URL("../models/marts/race_training_dataset.yml", import.meta.url), "utf8"),
) as { columns: Record<string, { tier: string; type: string }> };
const features: readonly Column[] = Object.entries(columns)
    .map(([name, { tier, type }]) => ({ name, tier, type }))
    .filter(
        ({ tier, name }) => !["key", "label"].includes(tier) && (named.length === 0 || named.includes(name)),
    );

const { races, fitted, combined, tested } = await readRaces();
const rows = races.wins.length;
const plain: Feature[] = [];
const seen = new Set<string>();
const single: { column: Column; r2: number; top1: number }[] = [];
for (const column of features) {
    const own = await readFeatures(races, column);
    if (own.length === 0) continue;
    // Whole families are unknown together: one indicator of it is enough.
    if (column.tier !== "market") {
        plain.push(
            ...own.filter((feature) => !seen.has(fingerprint(feature)) && seen.add(fingerprint(feature))),
        );
    }
    const sums = utilities(own, estimate(races, own, fitted, 1), rows);
    single.push({ column, ...judge(races, sums, tested) });
}
for (const { column, ...worth } of single.sort((one, other) => other.r2 - one.r2)) {
    print(`${column.tier.padEnd(9)} ${column.name}`, worth);
}

if (named.length === 0) {
    const odds = againstRace(races, await readColumn("-ln(win_odds)"));
    const market = utilities(odds, estimate(races, odds, fitted, 1), rows);
    print("(a) win odds alone", judge(races, market, tested));
    const curved = curvature(races, plain, fitted);
    const trials = ridges.map((ridge) =>
        utilities(plain, estimate(races, plain, fitted, ridge, curved), rows),
    );
    const best = trials.reduce((one, other) =>
        judge(races, other, combined).r2 > judge(races, one, combined).r2 ? other : one,
    );
    print(`(b) ${plain.length} columns without the market`, judge(races, best, tested));
    const both = [Float32Array.from(market), Float32Array.from(best)];
    print("(c) both", judge(races, utilities(both, estimate(races, both, combined, 0.01), rows), tested));
}
connection.closeSync();
