import { quoteText } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import { liveName } from "./build-target.ts";
import type { Kept } from "./divide.ts";
import type { PublishedView } from "./published.ts";
import { schemas } from "./schemas.ts";

/** What a view holds, as far as it can be told without looking into its rows. */
export interface Filling {
    readonly rows: number;
    /**
     * Another one after whatever was done to the view's rows, and on another day: its file, which transaction wrote
     * which row, and the date in the session's time zone.
     */
    readonly filling: string;
}

/**
 * Within the transaction that filled it, nobody else's changes are among them. Costs little more than to count the
 * rows.
 */
export async function readFilling(client: PostgresClient, view: string): Promise<Filling> {
    const { rows } = await client.query<Filling>(
        `select count(*)::float8 as rows, concat_ws(' ', pg_relation_filenode(${quoteText(view)}), count(*),
                sum(hashtidextended(ctid, xmin::text::bigint)), current_date, current_setting('TimeZone')) as filling
         from ${view}`,
    );
    return rows[0]!;
}

/** Remembers with what a view that is in service was filled. */
export async function recordFilling(
    client: PostgresClient,
    oid: number,
    { filling }: Filling,
): Promise<void> {
    await client.query(`update ${schemas.meta}.object set filling = $2 where oid = $1`, [oid, filling]);
}

interface ViewState {
    readonly oid: number;
    readonly recorded: string | null;
    readonly isPopulated: boolean;
    readonly isFixed: boolean;
    /** Relations that it reads. */
    readonly reads: readonly number[];
}

/**
 * Kept views by whether a refresh would change nothing, each after what it reads; `unpopulated` ones cannot be read.
 */
export interface KeptViews {
    readonly filled: readonly Filled[];
    readonly stale: readonly Kept<PublishedView>[];
    readonly unpopulated: ReadonlySet<number>;
}

type Filled = Kept<PublishedView> & Pick<Filling, "rows">;

/**
 * A view needs no refresh where it holds what the last one put there, today, and its query gives the same again: it
 * reads tables that were verified to be unchanged and views that need none either, and computes nothing that depends on
 * more than rows.
 */
export async function findFilled(
    client: PostgresClient,
    views: readonly Kept<PublishedView>[],
    tableOids: readonly number[],
): Promise<KeptViews> {
    const states = await readStates(
        client,
        views.map(({ live }) => live.oid),
    );
    const unchanged = new Set(tableOids);
    const filled: Filled[] = [];
    const stale: Kept<PublishedView>[] = [];
    for (const view of views) {
        const state = states.get(view.live.oid);
        const isSame = state?.isPopulated && state.isFixed && state.reads.every((oid) => unchanged.has(oid));
        const now = isSame && state.recorded ? await readFilling(client, liveName(view.object)) : undefined;
        if (now && now.filling === state?.recorded) {
            unchanged.add(view.live.oid);
            filled.push({ ...view, rows: now.rows });
        } else stale.push(view);
    }
    const unpopulated = [...states.values()].filter(({ isPopulated }) => !isPopulated);
    return { filled, stale, unpopulated: new Set(unpopulated.map(({ oid }) => oid)) };
}

/** Nodes of a query that depend on settings, the clock or chance, or whose functions it does not name. */
const unfixedNodes = "SQLVALUEFUNCTION :op [1-9]|COERCEVIAIO|TABLESAMPLECLAUSE|NEXTVALUEEXPR|XMLEXPR|JSON";

/** From here on functions are somebody's own, and may be replaced by others of the same name. */
const firstOwnOid = 16_384;

/**
 * A query is fixed where all its functions and operators are Postgres' own immutable ones; of the others only
 * `current_date` is known.
 */
async function readStates(
    client: PostgresClient,
    oids: readonly number[],
): Promise<ReadonlyMap<number, ViewState>> {
    const isMovable = (oid: string) => `${oid} >= ${firstOwnOid} or provolatile is distinct from 'i'`;
    const { rows } = await client.query<ViewState>(
        `select class.oid::int8::float8 as oid, class.relispopulated as "isPopulated",
                (select to_jsonb(object) ->> 'filling' from ${schemas.meta}.object as object
                 where object.oid = class.oid and replaced_by is null) as recorded,
                query.tree !~ '\\{(${unfixedNodes})'
                and not exists (
                    select from regexp_matches(query.tree, ':(?:funcid|aggfnoid|winfnoid) (\\d+)', 'g') as found (ids)
                    left join pg_catalog.pg_proc on pg_proc.oid = ids[1]::oid where ${isMovable("ids[1]::int8")})
                and not exists (
                    select from regexp_matches(query.tree, ':opno (\\d+)', 'g') as found (ids)
                    left join pg_catalog.pg_operator on pg_operator.oid = ids[1]::oid
                    left join pg_catalog.pg_proc on pg_proc.oid = oprcode where ${isMovable("ids[1]::int8")}) as "isFixed",
                array(select distinct refobjid::int8::float8 from pg_catalog.pg_depend
                      where classid = 'pg_catalog.pg_rewrite'::regclass and objid = query.oid
                        and refclassid = 'pg_catalog.pg_class'::regclass and refobjid <> class.oid) as reads
         from pg_catalog.pg_class as class
         join lateral (select oid, ev_action::text as tree from pg_catalog.pg_rewrite where ev_class = class.oid) as query on true
         where class.oid = any ($1::oid[])`,
        [oids],
    );
    return new Map(rows.map((row) => [row.oid, row]));
}
