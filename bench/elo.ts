/**
 * What a rating alone says of the winner: a conditional logit with one feature, per race, on the Hong Kong data.
 * Fitted before 2002-09-01, tested from 2003-09-01 on; McFadden's R2 against all runners equal.
 *
 *     npx tsx bench/elo.ts target/files.duckdb horse 'elo_k=32 elo_boost=0 elo_margin_scale=0'
 */
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { parse } from "yaml";
import { eloSettings } from "../macros/elo-model.ts";
import { createPairwiseElo, type EloSettings } from "../macros/pairwise-elo.ts";

interface Starters {
    readonly count: number;
    readonly day: Int32Array;
    readonly race: Int32Array;
    readonly entity: Int32Array;
    readonly group: Int32Array;
    readonly hasRun: Uint8Array;
    readonly position: Int32Array;
    readonly margin: Float64Array;
}

async function readStarters(path: string, entity: string): Promise<Starters> {
    const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
    const connection = await instance.connect();
    const group = entity === "horse" ? "horse_slug_key::integer" : "-1";
    const reader = await connection.runAndReadAll(`
        select
            race_date - date '1970-01-01' as day,
            dense_rank() over (order by race_date, race_number, race_id)::integer as race,
            coalesce(${entity}_key::integer, -1) as entity,
            ${group} as family,
            has_run::integer as has_run,
            coalesce(position::integer, 0) as place,
            coalesce(margin::double, 'nan'::double) as lengths,
        from main.runners
        order by runner_id`);
    const [day, race, entities, family, hasRun, place, lengths] = reader.getColumnsJS() as number[][];
    connection.closeSync();
    return {
        count: day!.length,
        day: Int32Array.from(day!, Number),
        race: Int32Array.from(race!),
        entity: Int32Array.from(entities!),
        group: Int32Array.from(family!),
        hasRun: Uint8Array.from(hasRun!),
        position: Int32Array.from(place!),
        margin: Float64Array.from(lengths!),
    };
}

/** The rating of every starter on the morning of its day. */
function rate(starters: Starters, settings: EloSettings): Float64Array {
    const rating = createPairwiseElo(settings);
    const ratings = new Float64Array(starters.count);
    for (let from = 0, to = 1; from < starters.count; from = to++) {
        while (to < starters.count && starters.day[to] === starters.day[from]) to++;
        const { before } = rating.rateDay({
            day: starters.day[from]!,
            count: to - from,
            race: starters.race.subarray(from, to),
            entity: starters.entity.subarray(from, to),
            group: starters.group.subarray(from, to),
            hasRun: starters.hasRun.subarray(from, to),
            position: starters.position.subarray(from, to),
            margin: starters.margin.subarray(from, to),
        });
        ratings.set(before.subarray(0, to - from), from);
    }
    return ratings;
}

/** Log-likelihood of the winners, of equal chances, and the derivatives by the coefficient. */
function likelihood(starters: Starters, feature: Float64Array, beta: number, fromDay: number, toDay: number) {
    let model = 0;
    let equal = 0;
    let slope = 0;
    let curvature = 0;
    for (let from = 0, to = 1; from < starters.count; from = to++) {
        while (to < starters.count && starters.race[to] === starters.race[from]) to++;
        const day = starters.day[from]!;
        if (day < fromDay || day >= toDay) continue;
        let sum = 0;
        let first = 0;
        let second = 0;
        let winners = 0;
        let winning = 0;
        for (let row = from; row < to; row++) {
            const value = Number.isNaN(feature[row]!) ? 0 : (feature[row]! - 1200) / 100;
            const weight = Math.exp(beta * value);
            sum += weight;
            first += weight * value;
            second += weight * value * value;
            if (starters.position[row] === 1) {
                winners++;
                winning += value;
            }
        }
        if (winners === 0) continue;
        // A dead heat counts as one race, each winner with its share.
        model += (beta * winning) / winners - Math.log(sum);
        equal -= Math.log(to - from);
        slope += winning / winners - first / sum;
        curvature += second / sum - (first / sum) ** 2;
    }
    return { model, equal, slope, curvature };
}

function mcFadden(starters: Starters, feature: Float64Array) {
    const day = (date: string): number => Date.parse(date) / 86_400_000;
    const split = day("2002-09-01");
    let beta = 0;
    for (let step = 0; step < 30; step++) {
        const { slope, curvature } = likelihood(starters, feature, beta, -1e9, split);
        if (Math.abs(slope) < 1e-9 || curvature === 0) break;
        beta += slope / curvature;
    }
    const tested = likelihood(starters, feature, beta, day("2003-09-01"), 1e9);
    const fitted = likelihood(starters, feature, beta, -1e9, split);
    return { beta, fitted: 1 - fitted.model / fitted.equal, tested: 1 - tested.model / tested.equal };
}

const [path = "target/files.duckdb", entity = "horse", ...trials] = process.argv.slice(2);
const starters = await readStarters(path, entity);
const prefix = entity === "horse" ? "elo" : `${entity}_elo`;
const { vars } = parse(readFileSync(new URL("../rebuild.yml", import.meta.url), "utf8")) as {
    vars: Record<string, number>;
};
for (const trial of trials.length > 0 ? trials : [""]) {
    const changed = Object.fromEntries(
        trial
            .split(/\s+/)
            .filter(Boolean)
            .map((pair) => {
                const [name = "", value] = pair.split("=");
                return [name, Number(value)];
            }),
    );
    const begun = performance.now();
    const ratings = rate(starters, eloSettings({ ...vars, ...changed }, prefix));
    const seconds = (performance.now() - begun) / 1000;
    const { beta, fitted, tested } = mcFadden(starters, ratings);
    console.log(
        `${entity} ${trial || "as in rebuild.yml"}: R2 fitted ${fitted.toFixed(4)}, tested ${tested.toFixed(4)}, ` +
            `coefficient a 100 points ${beta.toFixed(3)}, rated ${starters.count} starters in ${seconds.toFixed(2)} s`,
    );
}
