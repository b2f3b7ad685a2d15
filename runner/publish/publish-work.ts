import { PublishError } from "../errors.ts";
import type { AdvisoryLock } from "../postgres/advisory-lock.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { checkBounds, type Loaded } from "./bounds.ts";
import type { BuildTarget } from "./build-target.ts";
import type { Division } from "./divide.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { Preflight } from "./preflight.ts";
import type { PublishOptions } from "./publish.ts";
import type { PublishedTable } from "./published.ts";
import type { PublishedResults } from "./published-results.ts";
import type { OnStep, PublishOverride } from "./steps.ts";
import type { SwapOutcome } from "./swap.ts";
import type { ObjectFacts } from "./swap-plan.ts";
import { verifyTable } from "./verify.ts";

/** A publish after its preflight: what both ways of it, the swap and the changes in place, go by. */
export interface PublishWork {
    readonly options: PublishOptions & { readonly lock: AdvisoryLock };
    readonly overrides: ReadonlySet<PublishOverride>;
    readonly client: PostgresClient;
    readonly step: OnStep;
    readonly preflight: Preflight;
    readonly division: Division;
    readonly fingerprints: Fingerprints;
    readonly results: PublishedResults;
}

export interface PublishOutcome extends SwapOutcome {
    readonly generation: number;
    /** By model. */
    readonly rowCounts: ReadonlyMap<string, number>;
}

/** Compares loaded tables with the warehouse and with what is in service; returns what is known of them, by model. */
export async function verifyLoaded(
    { options, client, division, overrides }: PublishWork,
    loads: readonly { readonly target: BuildTarget<PublishedTable>; readonly relation: string }[],
): Promise<ReadonlyMap<string, ObjectFacts>> {
    const { connection, warehouse, report } = options;
    // All tables are looked at, so that one more run is enough once every gate is known.
    const refusals: string[] = [];
    const facts = new Map<string, ObjectFacts>();
    for (const { target, relation } of loads) {
        const { object } = target;
        const survey = division.surveys.get(object.model)!;
        await verifyTable(client, warehouse, object, { relation, survey });
        const { rows, valueCounts } = survey;
        facts.set(object.model, {
            rows,
            valueCounts: Object.fromEntries(valueCounts),
            ...division.hashes.get(object.model)!,
        });
        const loaded: Loaded = {
            target,
            relation,
            rows,
            valueCounts,
            before: division.before.get(object.model),
        };
        const { rowCountBand, valueShareMin } = connection;
        const bounds = { rowCountBand, valueShareMin, overrides };
        const allowed = await checkBounds(client, loaded, bounds).catch((error) => {
            if (!(error instanceof PublishError)) throw error;
            refusals.push(error.message);
            return [];
        });
        for (const message of allowed) report({ type: "note", level: "warn", message });
    }
    if (refusals.length > 0) throw new PublishError("verification", refusals.join("\n"));
    return facts;
}

export async function countRows(client: PostgresClient, relation: string): Promise<number> {
    const { rows } = await client.query<{ rows: number }>(`select count(*)::float8 as rows from ${relation}`);
    return rows[0]!.rows;
}
