import type { Problem } from "../errors.ts";
import { quoteName } from "../names.ts";
import type { Source, SourceColumn } from "../project/project.ts";
import type { ColumnType } from "../warehouse/types.ts";
import { checkedCast } from "./checked-cast.ts";
import { describeMissingColumn } from "./source-catalog.ts";
import type { SourceFile } from "./source-files.ts";

export interface FileColumn {
    readonly column: SourceColumn;
    /** As the file spells it; absent: optional and missing. */
    readonly foundName?: string;
    /** The column's value in its declared type. It ends the statement where the value does not fit. */
    readonly expression: string;
    /** Condition under which the value does not fit; absent: any value does. */
    readonly isWrong?: string;
}

/** A file with what it holds and what is made of it. */
export interface FilePart {
    readonly file: SourceFile;
    readonly found: readonly ColumnType[];
    readonly columns: readonly FileColumn[];
}

/** Matches a file's header with the declared columns: by name, whatever the order and the case of letters. */
export function matchColumns(
    source: Source,
    file: SourceFile,
    found: readonly ColumnType[],
    problems: Problem[],
): readonly FileColumn[] {
    return source.columns.map((column): FileColumn => {
        const empty = { column, expression: `cast(null as ${column.type})` };
        const match =
            found.find(({ name }) => name === column.name) ??
            found.find(({ name }) => name.trim().toLowerCase() === column.name.toLowerCase());
        const key = `sources.${source.name}.columns.${column.name}`;
        if (!match) {
            if (column.optional) return empty;
            const names = found.map(({ name }) => name);
            problems.push({
                file: source.file,
                key,
                message: describeMissingColumn(file.path, column.name, names),
            });
            return empty;
        }
        const name = quoteName(match.name);
        const cast = checkedCast(name, match.type, column.type);
        if (!cast) {
            problems.push({
                file: source.file,
                key,
                message: `column ${column.name} of ${file.path} is of type ${match.type} and cannot be read as the declared ${column.type}.`,
            });
            return empty;
        }
        const wrong = [
            !column.nullable && `${name} is null`,
            cast.isExact !== "true" && `(${name} is not null and not (${cast.isExact}))`,
        ].filter((condition) => condition !== false);
        if (wrong.length === 0) return { column, foundName: match.name, expression: cast.value };
        const isWrong = wrong.join(" or ");
        // The message is not for people: whoever catches it looks for all wrong values.
        const stop = `error('wrong value ' || coalesce(cast(${name} as varchar), 'NULL'))`;
        return {
            column,
            foundName: match.name,
            expression: `case when ${isWrong} then ${stop} else ${cast.value} end`,
            isWrong,
        };
    });
}
