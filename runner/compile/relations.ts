import { quoteName } from "../names.ts";
import type { ModelConfig } from "../project/project.ts";
import { type AssembledSql, joinSql } from "./assemble.ts";

interface Draft {
    readonly config: ModelConfig;
    readonly refs: ReadonlyMap<string, unknown>;
}

/** The schema of the target in which tables and views are built before the swap. */
const buildSchema = "rebuild_build";

/** What `{{ref "name"}}` becomes in the SQL of `reader`. */
export function relationName(name: string, models: ReadonlyMap<string, Draft>, reader: string): string {
    const config = models.get(name)?.config;
    if (models.get(reader)?.config.materialized === "postgres_materialized_view") {
        return `${buildSchema}.${plainName(config?.publish?.name ?? name)}`;
    }
    if (config?.materialized === "ephemeral" && name !== reader) return ephemeralName(name);
    return `main.${name}`;
}

/**
 * A name that no CTE of a model has by accident: `with starts as (select * from {{ref "starts"}})` must not read
 * itself.
 */
function ephemeralName(name: string): string {
    return `ephemeral__${name}`;
}

/**
 * A model's SQL with the ephemeral models it reads, directly or through each other, in front of it as CTEs.
 * The SQL itself goes into a subquery unparsed, since it may begin with a `with` of its own: DuckDB 1.5
 * refuses `with a as (...) (with b as (...) ...)`, but not `with a as (...) select * from (with b as ...)`.
 */
export function inlineEphemerals(
    name: string,
    own: ReadonlyMap<string, AssembledSql>,
    models: ReadonlyMap<string, Draft>,
    refs: Iterable<string> = models.get(name)?.refs.keys() ?? [],
): AssembledSql {
    const inlined = new Set<string>();
    const visit = (ref: string) => {
        const draft = models.get(ref);
        if (draft?.config.materialized !== "ephemeral" || inlined.has(ref)) return;
        for (const inner of draft.refs.keys()) visit(inner);
        inlined.add(ref);
    };
    for (const ref of refs) visit(ref);
    const sql = own.get(name)!;
    if (inlined.size === 0) return sql;
    const pieces: (AssembledSql | string)[] = [];
    for (const ephemeral of inlined) {
        const begin = pieces.length === 0 ? "with " : "";
        const last = pieces.length / 3 === inlined.size - 1;
        pieces.push(`${begin}${ephemeralName(ephemeral)} as (`, own.get(ephemeral)!, last ? ")" : "),");
    }
    return joinSql([...pieces, "select * from (", sql, ")"]);
}

function plainName(name: string): string {
    return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name);
}
