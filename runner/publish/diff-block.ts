import { quoteName, quoteText } from "../names.ts";
import type { AdvisoryLock } from "../postgres/advisory-lock.ts";
import { liveName } from "./build-target.ts";
import { fingerprintSql } from "./fingerprint-sql.ts";
import { refusedState } from "./refused.ts";
import { schemas } from "./schemas.ts";
import { fence, putInService } from "./swap-block.ts";
import type { SwapObject } from "./swap-plan.ts";

/** Changes of rows in place: kept with the generation, from which a rollback makes its own. */
export interface DiffPlan {
    readonly generation: number;
    readonly tables: readonly DiffTable[];
    /** Each after what it reads. */
    readonly views: readonly DiffView[];
    /** A rollback's: the generation whose rows it puts back. */
    readonly restores?: number;
}

export interface DiffTable extends Pick<SwapObject, "schema" | "name" | "content" | "rows" | "valueCounts"> {
    readonly oid: number;
    readonly fingerprint: string;
    readonly key: readonly string[];
    /** In the table's order. */
    readonly columns: readonly string[];
    /** The temporary table with the rows as they shall be. */
    readonly staged: string;
}

export type DiffView = Pick<DiffTable, "schema" | "name" | "oid" | "fingerprint">;

/**
 * One statement that makes the tables hold the staged rows, remembers what it changed, and refreshes the views.
 * It locks out who writes, not who reads: readers see the rows of before until it commits, then all of it.
 */
export function diffBlock(plan: DiffPlan, lock: Pick<AdvisoryLock, "processId" | "key">): string {
    const { generation, tables, views } = plan;
    const statements = [
        `lock table ${tables.map(liveName).join(", ")} in share row exclusive mode`,
        ...[...tables, ...views].map(checkSide),
        ...tables.flatMap((table) => changeRows(table, generation)),
        ...views.map((view) => `refresh materialized view concurrently ${liveName(view)}`),
        ...tables.map(
            ({ oid, content, rows, valueCounts }) => `update ${schemas.meta}.object
            set generation = ${generation}, rows = ${rows}, bytes = pg_total_relation_size(${oid}),
                content = ${content === null ? "null" : quoteText(content)}, value_counts = ${valueCounts ? quoteText(JSON.stringify(valueCounts)) : "null"}
            where oid = ${oid}`,
        ),
        ...views.map(
            ({ oid }) =>
                `update ${schemas.meta}.object set generation = ${generation}, filling = null where oid = ${oid}`,
        ),
        ...putInService(generation),
        // Nobody waits for it but who writes.
        `update ${schemas.meta}.generation set swap_milliseconds = 0 where id = ${generation}`,
    ];
    return `do $rebuild$
begin
    perform set_config('lock_timeout', '3s', true);
    ${fence(plan, lock)}
    ${statements.map((statement) => `${statement};`).join("\n    ")}
end $rebuild$`;
}

function checkSide({ schema, name, oid, fingerprint }: DiffView): string {
    return `if to_regclass(${quoteText(liveName({ schema, name }))})::oid is distinct from ${oid}::oid
        or ${fingerprintSql(String(oid))} is distinct from '${fingerprint}' then
        raise exception '%', ${quoteText(`the object in service ${schema}.${name} was changed by somebody since it was looked at; run again`)} using errcode = '${refusedState}';
    end if`;
}

function changeRows(table: DiffTable, generation: number): readonly string[] {
    const { oid, key, columns, staged } = table;
    const live = liveName(table);
    const matches = key.map((name) => `live.${quoteName(name)} = staged.${quoteName(name)}`).join(" and ");
    const remember = (change: string, row: string, from: string) =>
        `insert into ${schemas.meta}.undo (generation, oid, change, row_text) select ${generation}, ${oid}, '${change}', (${row}.*)::text from ${from}`;
    const gone = `${live} as live where not exists (select from ${staged} as staged where ${matches})`;
    const fresh = `${staged} as staged where not exists (select from ${live} as live where ${matches})`;
    // Compared by their bytes: types without an equality of their own, and values that only look the same.
    const differs = `${matches} and live.* operator(pg_catalog.*<>) staged.*`;
    const names = columns.map(quoteName);
    return [
        remember("delete", "live", gone),
        `delete from ${gone}`,
        remember("update", "live", `${live} as live join ${staged} as staged on ${differs}`),
        `update ${live} as live set ${names.map((name) => `${name} = staged.${name}`).join(", ")} from ${staged} as staged where ${differs}`,
        remember("insert", "staged", fresh),
        `insert into ${live} (${names.join(", ")}) select ${names.map((name) => `staged.${name}`).join(", ")} from ${fresh}`,
        `if (select count(*) from ${live}) <> (select count(*) from ${staged})
        or exists (select from ${live} as live join ${staged} as staged on ${differs}) then
        raise exception '%', ${quoteText(`${table.schema}.${table.name} would not hold the rows that were sent: its key (${key.join(", ")}) is not unique, or a trigger interfered`)} using errcode = '${refusedState}';
    end if`,
    ];
}
