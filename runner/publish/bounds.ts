import { PublishError } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { type BuildTarget, buildName, liveName } from "./build-target.ts";
import { qualified } from "./live-object.ts";
import type { PublishedTable } from "./published.ts";
import type { PublishOverride } from "./steps.ts";

export interface Bounds {
    readonly rowCountBand: { readonly min: number; readonly max: number };
    readonly overrides: ReadonlySet<PublishOverride>;
}

/** Compares a built table with the one in service; returns what an override let pass, throws on the rest. */
export async function checkBounds(
    client: PostgresClient,
    target: BuildTarget<PublishedTable>,
    { rowCountBand, overrides }: Bounds,
): Promise<readonly string[]> {
    if (!target.live) return [];
    const { object } = target;
    const findings: readonly [PublishOverride, string | undefined][] = [
        ["row-count", await rowCountFinding(client, object, object.rowCountBand ?? rowCountBand)],
        ["dates", await dateFinding(client, target)],
        ["nulls", await nullFinding(client, target)],
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
    object: PublishedTable,
    band: { readonly min: number; readonly max: number },
): Promise<string | undefined> {
    const { rows } = await client.query<{ before: number; after: number }>(
        `select (select count(*) from ${liveName(object)})::float8 as before,
                (select count(*) from ${buildName(object)})::float8 as after`,
    );
    const { before, after } = rows[0]!;
    if (before === 0) return undefined;
    const share = after / before;
    if (share >= band.min && share <= band.max) return undefined;
    return `It has ${after} rows, ${(share * 100).toFixed(1)} % of the ${before} in service; allowed are ${band.min * 100} to ${band.max * 100} %.`;
}

async function dateFinding(
    client: PostgresClient,
    { object, live, columns }: BuildTarget<PublishedTable>,
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
        `select ${latest(liveName(object))}::text as before, ${latest(buildName(object))}::text as after,
                ${latest(buildName(object))} < ${latest(liveName(object))} as older`,
    );
    const { before, after, older } = rows[0]!;
    return older ? `Its latest ${asOf} is ${after}; that in service is ${before}.` : undefined;
}

/** A column that has lost all its values is a broken join far more often than a change. */
async function nullFinding(
    client: PostgresClient,
    { object, live }: BuildTarget<PublishedTable>,
): Promise<string | undefined> {
    const before = new Set(live?.columns.map(({ name }) => name));
    const shared = object.columns.map(({ name }) => name).filter((name) => before.has(name));
    if (shared.length === 0) return undefined;
    const { rows } = await client.query<Record<string, boolean>>(
        `select exists (select from ${buildName(object)}) as any,
                ${shared.map((name, index) => `exists (select from ${buildName(object)} where ${quoteName(name)} is not null) as c${index}`).join(", ")}`,
    );
    if (!rows[0]!.any) return undefined;
    const lost: string[] = [];
    for (const name of shared.filter((_, index) => !rows[0]![`c${index}`])) {
        const { rows: found } = await client.query<{ any: boolean }>(
            `select exists (select from ${liveName(object)} where ${quoteName(name)} is not null) as any`,
        );
        if (found[0]!.any) lost.push(name);
    }
    return lost.length > 0 ? `All values are NULL now in: ${lost.join(", ")}.` : undefined;
}
