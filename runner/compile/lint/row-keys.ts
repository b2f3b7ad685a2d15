/** Sets of columns of a relation, each of which identifies a row, as far as is declared or follows from the SQL. */
export type Keys = readonly (readonly string[])[];

/**
 * Everything that is fixed once the columns are: a key of a relation fixes its other keys as well, so that an
 * order by the number of an event and a name is one by the event's id and the name.
 */
function closureOf(columns: Iterable<string>, relations: readonly Keys[]): ReadonlySet<string> {
    const fixed = new Set(columns);
    for (let size = -1; size !== fixed.size; ) {
        size = fixed.size;
        for (const keys of relations) {
            if (!keys.some((key) => key.every((column) => fixed.has(column)))) continue;
            for (const column of keys.flat()) fixed.add(column);
        }
    }
    return fixed;
}

/** Whether the columns tell rows of a select apart; relations that are joined to the first are taken to add no rows. */
export function isUnique(columns: Iterable<string>, relations: readonly Keys[]): boolean {
    const fixed = closureOf(columns, relations);
    return relations[0]?.some((key) => key.every((column) => fixed.has(column))) ?? false;
}

/** The same within a group, whose rows come from whichever relation has many of them. */
export function isUniqueInGroup(columns: Iterable<string>, relations: readonly Keys[]): boolean {
    const fixed = closureOf(columns, relations);
    return relations.some((keys) => keys.some((key) => key.every((column) => fixed.has(column))));
}
