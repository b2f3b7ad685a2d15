import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type BuildTarget, liveName } from "./build-target.ts";
import { qualified } from "./live-object.ts";
import type { PublishedTable } from "./published.ts";
import type { PublishOverride } from "./steps.ts";

/** A loaded table, not in service yet. */
export interface Loaded {
    readonly target: BuildTarget<PublishedTable>;
    /** Its name, for SQL. */
    readonly relation: string;
    readonly rows: number;
    /** By column the number of values. */
    readonly valueCounts: ReadonlyMap<string, number>;
    /** The same of the table in service, where it was recorded. */
    readonly before?: ValueCounts | undefined;
}

export interface ValueCounts {
    readonly rows: number;
    readonly values: Readonly<Record<string, number>>;
}

export interface Bounds {
    /** A column may lose values down to this share of what it had a row. */
    readonly valueShareMin: number;
    readonly rowCountBand: { readonly min: number; readonly max: number };
    readonly overrides: ReadonlySet<PublishOverride>;
}

/** Compares a built table with the one in service; returns what an override let pass, throws on the rest. */
export async function checkBounds(
    client: PostgresClient,
    loaded: Loaded,
    { rowCountBand, valueShareMin, overrides }: Bounds,
): Promise<readonly string[]> {
    const { object, live } = loaded.target;
    if (!live) return [];
    const findings: readonly [PublishOverride, string | undefined][] = [
        ["row-count", await rowCountFinding(client, loaded, object.rowCountBand ?? rowCountBand)],
        ["dates", await dateFinding(client, loaded)],
        ["nulls", (await nullFinding(client, loaded)) ?? sparseFinding(loaded, valueShareMin)],
    ];
    const found = findings.filter(
        (finding): finding is [PublishOverride, string] => finding[1] !== undefined,
    );
    const refused = found.filter(([override]) => !overrides.has(override));
    if (refused.length > 0) {
        const lines = refused.map(
            ([override, text]) => `- ${text} If that is right, publish with the override "${override}".`,
        );
        throw new PublishError(
            "verification",
            `${qualified(object)} stays as it is, since the new one is out of bounds:\n${lines.join("\n")}`,
        );
    }
    return found.map(
        ([override, text]) => `${qualified(object)}: ${text} Allowed by the override "${override}".`,
    );
}

async function rowCountFinding(
    client: PostgresClient,
    { target, rows: after }: Loaded,
    band: { readonly min: number; readonly max: number },
): Promise<string | undefined> {
    const { rows } = await client.query<{ before: number }>(
        `select count(*)::float8 as before from ${liveName(target.object)}`,
    );
    const { before } = rows[0]!;
    if (before === 0) return undefined;
    const share = after / before;
    if (share >= band.min && share <= band.max) return undefined;
    return `It has ${after} rows, ${(share * 100).toFixed(1)} % of the ${before} in service; allowed are ${band.min * 100} to ${band.max * 100} %.`;
}

async function dateFinding(
    client: PostgresClient,
    { target: { object, live, columns }, relation: loaded }: Loaded,
): Promise<string | undefined> {
    const asOf = object.asOf;
    const type = live?.columns.find(({ name }) => name === asOf)?.type;
    if (asOf === undefined || !columns.has(asOf) || !type || !/^(date|timestamp)/.test(type))
        return undefined;
    // Days to come are a schedule, which may well be shortened.
    const latest = (relation: string) =>
        `(select max(${quoteName(asOf)}) from ${relation} where ${quoteName(asOf)} <= current_date)`;
    const { rows } = await client.query<{
        before: string | null;
        after: string | null;
        older: boolean | null;
    }>(
        `select ${latest(liveName(object))}::text as before, ${latest(loaded)}::text as after,
                ${latest(loaded)} < ${latest(liveName(object))} as older`,
    );
    const { before, after, older } = rows[0]!;
    return older ? `Its latest ${asOf} is ${after}; that in service is ${before}.` : undefined;
}

/** A column that has lost all its values is a broken join far more often than a change. */
async function nullFinding(
    client: PostgresClient,
    { target: { object, live }, rows, valueCounts }: Loaded,
): Promise<string | undefined> {
    if (rows === 0) return undefined;
    const before = new Set(live?.columns.map(({ name }) => name));
    const lost: string[] = [];
    for (const { name } of object.columns) {
        if (!before.has(name) || valueCounts.get(name) !== 0) continue;
        const { rows: found } = await client.query<{ any: boolean }>(
            `select exists (select from ${liveName(object)} where ${quoteName(name)} is not null) as any`,
        );
        if (found[0]!.any) lost.push(name);
    }
    return lost.length > 0 ? `All values are NULL now in: ${lost.join(", ")}.` : undefined;
}

/** Columns that hold values far more seldom than those in service did. */
function sparseFinding({ rows, valueCounts, before }: Loaded, min: number): string | undefined {
    if (rows === 0 || !before || before.rows === 0) return undefined;
    const sparse = [...valueCounts].flatMap(([name, count]) => {
        const old = (before.values[name] ?? 0) / before.rows;
        const share = count / rows;
        return share < old * min ? [`${name} (${percent(old)} to ${percent(share)})`] : [];
    });
    return sparse.length > 0
        ? `Values have become rarer, by more than to ${percent(min)}, in: ${sparse.join(", ")}.`
        : undefined;
}

function percent(share: number): string {
    return `${(share * 100).toFixed(1)} %`;
}
