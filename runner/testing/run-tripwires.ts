import { quoteName } from "../names.ts";
import { isNumberType } from "../project/column-types.ts";
import type { Tripwires } from "../project/project.ts";
import type { ColumnType, Warehouse } from "../warehouse/types.ts";
import type { Testable } from "./list-tests.ts";
import { relationOf } from "./test-query.ts";
import { passed, type Verdict } from "./verdict.ts";

/** Events that are looked at: 4,000 of ten rows each are some 40,000 pairs, and 350 columns took 2.5 s. */
const sampledEvents = 2000;
/** Fewer events with a column's values say nothing. */
const leastEvents = 50;
/**
 * Presence alone must come to this share of what the yardstick's values do: histories that are short come to a fifth.
 */
const presenceShare = 0.5;

/**
 * How a column orders pairs of one event, one row with the outcome and one without: 1 always rightly, 0 no better than
 * chance.
 */
interface Power {
    readonly column: string;
    /** Pairs with both values known. */
    readonly pairs: number;
    readonly power: number | null;
    /** Of the yardstick, on the same pairs. */
    readonly yardstick: number | null;
    /** Of whether there is a value. */
    readonly presence: number;
}

interface Measured {
    readonly pairs: number;
    readonly events: number;
    readonly yardstick: number;
    readonly powers: readonly Power[];
}

/**
 * Columns that know the outcome too well: alone they order the rows of an event better than the yardstick does, or it
 * does that they have a value at all. A hint where to look, never a verdict: a good feature may trip it.
 */
export async function runTripwires(
    warehouse: Warehouse,
    node: Testable,
    tripwires: Tripwires,
    found: readonly ColumnType[],
): Promise<Verdict> {
    const started = performance.now();
    const tiers = new Map(node.config.columns.map(({ name, tier }) => [name, tier]));
    const own = tiers.get(tripwires.outcome);
    const columns = found
        .filter(({ type }) => /^BOOLEAN/.test(type) || isNumberType(type))
        .map(({ name }) => name)
        .filter((name) => name !== tripwires.outcome && name !== tripwires.yardstick)
        .filter((name) => own === undefined || tiers.get(name) !== own)
        .filter((name) => !node.config.grain.includes(name));
    const measured = await measurePowers(warehouse, node, tripwires, columns);
    const findings = measured ? describeFindings(measured, tripwires) : [];
    const seconds = (performance.now() - started) / 1000;
    if (findings.length === 0) return passed(seconds);
    const { yardstick, pairs, events } = measured!;
    const message = [
        `may know ${tripwires.outcome} too well (a hint where to look, not a verdict): of ${pairs.toLocaleString("en-US")} pairs of ${events.toLocaleString("en-US")} events ${tripwires.yardstick} orders ${share(yardstick)} rightly`,
        ...findings.map((line) => `    ${line}`),
    ].join("\n");
    return { failures: findings.length, seconds, message };
}

function describeFindings(
    { pairs, events, yardstick, powers }: Measured,
    named: Tripwires,
): readonly string[] {
    return powers.flatMap(({ column, pairs: known, power, yardstick: same, presence }) => {
        const knownEvents = (known * events) / pairs;
        const lines: string[] = [];
        if (power !== null && same !== null && knownEvents >= leastEvents) {
            // Two standard errors, taking each event for one observation.
            const margin = 2 / Math.sqrt(knownEvents);
            if (Math.abs(power) > Math.abs(same) + margin)
                lines.push(
                    `${column} alone orders ${share(power)} of ${known.toLocaleString("en-US")} pairs rightly, ${named.yardstick} ${share(same)} of them`,
                );
        }
        if (events >= leastEvents && Math.abs(presence) > presenceShare * Math.abs(yardstick))
            lines.push(`${column}: whether it is NULL alone orders ${share(presence)} of all pairs rightly`);
        return lines;
    });
}

/** A power as the share of pairs in the right order, ties halved; downwards is as good as upwards. */
function share(power: number): string {
    return `${(50 + 50 * Math.abs(power)).toFixed(1)} %`;
}

async function measurePowers(
    warehouse: Warehouse,
    node: Testable,
    { outcome, yardstick }: Tripwires,
    columns: readonly string[],
): Promise<Measured | undefined> {
    const event = quoteName(eventOf(node));
    const relation = relationOf(node);
    const [size] = await warehouse.rows(
        `select approx_count_distinct(${event})::bigint as events from ${relation}`,
    );
    const oneIn = Math.max(1, Math.ceil(Number(size!.events) / sampledEvents));
    const order = (name: string) => {
        const [one, other] = [`one.${quoteName(name)}`, `other.${quoteName(name)}`];
        return `case when ${one} > ${other} then 1 when ${one} < ${other} then -1 when ${one} = ${other} then 0 end`;
    };
    const facts = columns.map((name, at) => {
        const [one, other] = [`one.${quoteName(name)}`, `other.${quoteName(name)}`];
        return `
            count(${order(name)}) as pairs_${at},
            avg(${order(name)}) as power_${at},
            avg(case when ${one} is not null and ${other} is not null then ${order(yardstick)} end) as yardstick_${at},
            avg((${one} is not null)::integer - (${other} is not null)::integer) as presence_${at}`;
    });
    const taken = [...new Set([eventOf(node), outcome, yardstick, ...columns])].map(quoteName);
    const [row] = await warehouse.rows(`
        with sampled as materialized (
            select ${taken.join(", ")}
            from ${relation}
            where hash(${event}) % ${oneIn} = 0 and ${quoteName(outcome)} is not null
        )
        select
            count(*) as pairs,
            count(distinct one.${event}) as events,
            avg(${order(yardstick)}) as yardstick
            ${facts.map((fact) => `,${fact}`).join("")}
        from sampled as one
        inner join sampled as other
            on one.${event} = other.${event}
            and one.${quoteName(outcome)}::boolean
            and not other.${quoteName(outcome)}::boolean`);
    const number = (name: string) => (row![name] === null ? null : Number(row![name]));
    if (number("yardstick") === null) return undefined;
    return {
        pairs: number("pairs")!,
        events: number("events")!,
        yardstick: number("yardstick")!,
        powers: columns.map((column, at) => ({
            column,
            pairs: number(`pairs_${at}`)!,
            power: number(`power_${at}`),
            yardstick: number(`yardstick_${at}`),
            presence: number(`presence_${at}`) ?? 0,
        })),
    };
}

function eventOf({ config }: Testable): string {
    return config.event ?? config.grain[0]!;
}
