import { quoteName } from "../../names.ts";
import type { Source } from "../../project/project.ts";

/**
 * The rows of a query over a source in another physical order, with other surrogates: a permutation of their order,
 * except that versions of one thing keep theirs, since there the higher one may be declared to be the later.
 */
export function reorder(source: Source, query: string, seed: number): string {
    const list = source.columns.map(({ name }) => quoteName(name)).join(", ");
    const surrogates = source.columns.filter(({ surrogate }) => surrogate);
    let rows = query;
    for (const { name, type } of surrogates) rows = renumber(source, rows, name, type, seed);
    return `select * from (${rows}) order by hash(hash(${list}, ${seed}))`;
}

function renumber(source: Source, query: string, name: string, type: string, seed: number): string {
    const column = quoteName(name);
    const versions = identityOf(source, column);
    const place = `row_number() over (order by hash(hash(${column}, ${seed})), ${column})`;
    // Places are sorted after the window: within it that takes DuckDB ten times as long.
    return `
        select * exclude (replay_place, replay_places, replay_version, replay_identity)
            replace (replay_places[replay_version]::${type} as ${column})
        from (
            select
                *,
                list_sort(list(replay_place) over (partition by replay_identity)) as replay_places,
                row_number() over (partition by replay_identity order by ${column}) as replay_version,
            from (select *, ${versions} as replay_identity, ${place} as replay_place from (${query}))
        )`;
}

/**
 * What versions of one thing have in common: the identity's columns from the left, as far as they are known in all
 * rows that agree so far. Without an identity every row is a thing of its own.
 */
function identityOf({ identity }: Source, column: string): string {
    if (identity.length === 0) return `[${column}::varchar]`;
    const names = identity.map((name) => quoteName(name));
    const known = names.map((name, index) => {
        if (index === 0) return `${name}::varchar`;
        const partition = names.slice(0, index).join(", ");
        return `case when bool_and(${name} is not null) over (partition by ${partition}) then ${name}::varchar end`;
    });
    return `[${known.join(", ")}]`;
}
