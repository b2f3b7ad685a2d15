import type { PostgresClient } from "../postgres/connect.ts";
import type { DiffPlan } from "./diff-block.ts";
import { readArchived } from "./generations.ts";
import { qualified } from "./live-object.ts";
import { hasMeta } from "./meta.ts";
import { type Change, RollbackHistory } from "./rollback-route.ts";
import { schemas } from "./schemas.ts";
import type { SwapPlan } from "./swap-plan.ts";

interface Recorded {
    readonly id: number;
    readonly mode: Change["mode"];
    /** null: what it changed in place is not kept any more. */
    readonly plan: SwapPlan | DiffPlan | null;
}

export interface ReadHistory {
    readonly history: RollbackHistory;
    /** Generations that came into service, the latest first. */
    readonly ids: readonly number[];
}

/** What was put in service since the last change that cannot be undone any more. */
export async function readHistory(client: PostgresClient): Promise<ReadHistory> {
    if (!(await hasMeta(client))) {
        return { history: new RollbackHistory(0, [], { live: new Map(), archived: new Set() }), ids: [] };
    }
    const { rows } = await client.query<Recorded>(
        `select id::int as id, coalesce(to_jsonb(generation) ->> 'mode', 'swap') as mode, plan
         from ${schemas.meta}.generation as generation where swapped_at is not null order by generation.id`,
    );
    const lost = rows.findLastIndex(({ plan }) => plan === null);
    const archived = new Set((await readArchived(client)).map(({ oid }) => oid));
    const objects = { live: await readLive(client), archived };
    return {
        history: new RollbackHistory(rows[lost]?.id ?? 0, rows.slice(lost + 1).map(toChange), objects),
        ids: rows.map(({ id }) => id).reverse(),
    };
}

async function readLive(client: PostgresClient): Promise<ReadonlyMap<string, number>> {
    const { rows } = await client.query<{ name: string; oid: number }>(
        `select object.schema || '.' || object.name as name, object.oid::int8::float8 as oid
         from ${schemas.meta}.object as object join pg_catalog.pg_class as class on class.oid = object.oid
         where object.replaced_by is null and class.relname = object.name and class.relnamespace::regnamespace::text = quote_ident(object.schema)`,
    );
    return new Map(rows.map(({ name, oid }) => [name, oid]));
}

function toChange({ id, plan }: Recorded): Change {
    if (isDiff(plan!)) {
        return { id, mode: "diff", oids: plan.tables.map(({ oid }) => oid), restores: plan.restores ?? null };
    }
    return {
        id,
        mode: "swap",
        objects: plan!.objects.map((object) => ({
            name: qualified(object),
            incoming: object.incoming.oid,
            outgoing: object.outgoing?.oid ?? null,
        })),
    };
}

function isDiff(plan: SwapPlan | DiffPlan): plan is DiffPlan {
    return "tables" in plan;
}
