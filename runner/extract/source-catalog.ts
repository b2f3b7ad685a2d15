import { ConfigError, type Problem } from "../errors.ts";
import { nearestNames, quoteName } from "../names.ts";
import type { PostgresClient } from "../postgres/connect.ts";
import type { Source, SourceColumn } from "../project/project.ts";
import { planTransport, readableFrom, type Transport } from "./transport.ts";

/** A source with the way for each of its columns. */
export interface SourcePlan {
    readonly source: Source;
    /** `public.orders` */
    readonly table: string;
    /** `"public"."orders"` */
    readonly quotedTable: string;
    /** Estimate of the server, where it has one. */
    readonly estimatedRows?: number;
    /** Declared columns in their order; those without a transport are missing and optional. */
    readonly columns: readonly PlannedColumn[];
}

export interface PlannedColumn {
    readonly column: SourceColumn;
    readonly transport?: Transport;
    /** The type in Postgres, as people write it. */
    readonly sourceType?: string;
}

interface Relation {
    readonly name: string;
    readonly rows: number;
    readonly columns: readonly {
        readonly name: string;
        /** Name in pg_type, of a domain the one beneath. */
        readonly type: string;
        readonly label: string;
        readonly readable: boolean;
    }[];
}

/** Compares the declared sources with the catalog, before any row is read. All problems at once. */
export async function planSources(
    client: PostgresClient,
    schema: string,
    sources: readonly Source[],
): Promise<readonly SourcePlan[]> {
    const relations = await readRelations(client, schema);
    const problems: Problem[] = [];
    const plans = sources.map((source) => planSource(source, schema, relations, problems));
    if (problems.length > 0) throw new ConfigError(problems);
    return plans;
}

/** Tables, views, materialized views, partitioned and foreign tables of a schema. */
async function readRelations(client: PostgresClient, schema: string): Promise<readonly Relation[]> {
    const { rows } = await client.query<Relation>(
        `select
            relation.relname as name,
            relation.reltuples::float8 as rows,
            coalesce(
                json_agg(
                    json_build_object(
                        'name', attribute.attname,
                        'type', coalesce(beneath.typname, type.typname),
                        'label', format_type(attribute.atttypid, attribute.atttypmod),
                        'readable', has_column_privilege(relation.oid, attribute.attnum, 'select')
                    )
                    order by attribute.attnum
                ) filter (where attribute.attnum is not null),
                '[]'
            ) as columns
        from pg_catalog.pg_class as relation
        inner join pg_catalog.pg_namespace as namespace on namespace.oid = relation.relnamespace
        left join pg_catalog.pg_attribute as attribute
            on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
        left join pg_catalog.pg_type as type on type.oid = attribute.atttypid
        left join pg_catalog.pg_type as beneath on beneath.oid = nullif(type.typbasetype, 0)
        where namespace.nspname = $1 and relation.relkind in ('r', 'p', 'v', 'm', 'f')
        group by relation.oid, relation.relname, relation.reltuples`,
        [schema],
    );
    return rows;
}

function planSource(
    source: Source,
    schema: string,
    relations: readonly Relation[],
    problems: Problem[],
): SourcePlan {
    const table = `${schema}.${source.identifier}`;
    const relation = relations.find(({ name }) => name === source.identifier);
    const quotedTable = `${quoteName(schema)}.${quoteName(source.identifier)}`;
    const key = `sources.${source.name}`;
    if (!relation) {
        problems.push({ file: source.file, key, message: describeMissingTable(source, schema, relations) });
        return { source, table, quotedTable, columns: [] };
    }
    const columns = source.columns.map((column): PlannedColumn => {
        const found = relation.columns.find(({ name }) => name === column.name);
        const problem = (message: string) => {
            problems.push({ file: source.file, key: `${key}.columns.${column.name}`, message });
            return { column };
        };
        if (!found) {
            if (column.optional) return { column };
            const names = relation.columns.map(({ name }) => name);
            return problem(describeMissingColumn(table, column.name, names));
        }
        if (!found.readable) {
            return problem(
                `the user may not read column ${column.name} of ${table}: grant select on ${table} to it.`,
            );
        }
        const transport = planTransport(column.type, found);
        if (!transport) {
            return problem(
                `column ${column.name} of ${table} is of type ${found.label} and cannot be read as the declared ${column.type} ` +
                    `(which is read from ${readableFrom(column.type) || "no type of Postgres"}). Declare another type, or read a view that casts it.`,
            );
        }
        return { column, transport, sourceType: found.label };
    });
    if (columns.every(({ transport }) => !transport) && problems.length === 0) {
        problems.push({
            file: source.file,
            key,
            message: `${table} has none of the declared columns. Found: ${listNames(relation.columns.map(({ name }) => name))}.`,
        });
    }
    return {
        source,
        table,
        quotedTable,
        columns,
        ...(relation.rows > 0 && { estimatedRows: relation.rows }),
    };
}

function describeMissingTable(source: Source, schema: string, relations: readonly Relation[]): string {
    const names = relations.map(({ name }) => name);
    const near = nearestNames(source.identifier, names);
    return [
        `there is no table ${schema}.${source.identifier}.`,
        near.length > 0 && `Did you mean ${near.join(", ")}?`,
        names.length > 0
            ? `Found in schema ${schema}: ${listNames(names)}.`
            : `Schema ${schema} does not exist, is empty, or is closed to this user.`,
        `Set identifier: to the table's name, or schema: of the source connection.`,
    ]
        .filter(Boolean)
        .join(" ");
}

export function describeMissingColumn(place: string, column: string, names: readonly string[]): string {
    const near = nearestNames(column, names);
    return [
        `${place} has no column ${column}.`,
        near.length > 0 && `Did you mean ${near.join(", ")}?`,
        `Found: ${listNames(names)}. A column that may be missing is declared optional: true.`,
    ]
        .filter(Boolean)
        .join(" ");
}

const namesShown = 60;

function listNames(names: readonly string[]): string {
    const shown = [...names].sort().slice(0, namesShown).join(", ");
    return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown;
}
