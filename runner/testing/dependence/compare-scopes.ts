import type { CompiledModel } from "../../compile/compiled.ts";
import { quoteName } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";
import { type Scope, scopes } from "./flows.ts";
import { scopeOf } from "./perturb-column.ts";
import type { Probe } from "./probes.ts";
import { type Frame, touchedTable } from "./touch-events.ts";

/** For each column that moved, in which scopes, in how many rows. */
export type Moves = ReadonlyMap<string, Readonly<Partial<Record<Scope, number>>>>;

export interface ScopeQuery {
    readonly probe: Probe;
    readonly frame: Frame;
    readonly model: CompiledModel;
    readonly columns: readonly string[];
    readonly day: string;
    /** Quoted catalog of the build that nothing was changed for. */
    readonly full: string;
    /** Relation of the model built from the changed source, in the scratch database. */
    readonly relation: string;
}

/** One value that moved, for a reader to look up. */
export interface MoveExample {
    readonly key: Readonly<Record<string, string | null>>;
    readonly before: string | null;
    readonly after: string | null;
}

/** Compares the two builds row by row and column by column, and counts by scope. */
export async function compareScopes(scratch: Warehouse, query: ScopeQuery): Promise<Moves> {
    const counts = query.columns.map(
        (name, at) =>
            `count_if(full_rows.${quoteName(name)} is distinct from probe_rows.${quoteName(name)}) as column_${at}`,
    );
    const rows = await scratch.rows(`
        select ${scopeOf(query.probe, query.frame, query.day, "full_rows")} as scope, ${counts.join(",\n")}
        ${joined(query)}
        group by scope`);
    const moves = new Map<string, Partial<Record<Scope, number>>>();
    for (const [at, name] of query.columns.entries()) {
        const found: Partial<Record<Scope, number>> = {};
        for (const row of rows) {
            const count = Number(row[`column_${at}`]);
            const scope = scopes.find((one) => one === row.scope);
            if (scope !== undefined && count > 0) found[scope] = count;
        }
        const whole = Number(rows.find(({ scope }) => scope === "whole")?.[`column_${at}`] ?? 0);
        // Where all rows of the event were changed it cannot be told whose change it was.
        if (whole > 0 && found.own === undefined && found.event === undefined) found.own = whole;
        if (Object.keys(found).length > 0) moves.set(name, found);
    }
    return moves;
}

export async function findExample(
    scratch: Warehouse,
    query: ScopeQuery,
    column: string,
    scope: Scope,
): Promise<MoveExample | undefined> {
    const { grain } = query.frame;
    const keys = grain.map((name, at) => `full_rows.${quoteName(name)}::varchar as key_${at}`);
    const name = quoteName(column);
    const [row] = await scratch.rows(`
        select ${keys.join(", ")}, full_rows.${name}::varchar as before, probe_rows.${name}::varchar as after
        ${joined(query)}
        where full_rows.${name} is distinct from probe_rows.${name}
            and ${scopeOf(query.probe, query.frame, query.day, "full_rows")} in ('${scope}'${scope === "own" ? ", 'whole'" : ""})
        order by all limit 1`);
    if (!row) return undefined;
    const text = (value: unknown) => (value === null ? null : String(value));
    return {
        key: Object.fromEntries(grain.map((key, at) => [key, text(row[`key_${at}`])])),
        before: text(row.before),
        after: text(row.after),
    };
}

function joined({ frame, model, full, relation }: ScopeQuery): string {
    const on = (other: string) =>
        frame.grain.map((name) => `full_rows.${quoteName(name)} = ${other}.${quoteName(name)}`).join(" and ");
    return `
        from ${full}.main.${quoteName(model.name)} as full_rows
        inner join ${relation} as probe_rows on ${on("probe_rows")}
        left join ${full}.${touchedTable} as touched on ${on("touched")}`;
}
