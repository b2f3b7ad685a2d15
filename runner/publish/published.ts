import { createHash } from "node:crypto";
import type { CompiledModel, CompiledProject } from "../compile/compiled.ts";
import { PublishError } from "../errors.ts";
import { postgresType, publishableTypes } from "../postgres/postgres-type.ts";
import type { ModelConfig } from "../project/project.ts";
import type { ColumnType, Warehouse } from "../warehouse/types.ts";
import type { Policy } from "./live-object.ts";

/** What one publish puts in place together, before anything is known of the database. */
export interface Publication {
    readonly tables: readonly PublishedTable[];
    /** Each after what it reads. */
    readonly views: readonly PublishedView[];
}

interface PublishedBase {
    /** Name of the model. */
    readonly model: string;
    readonly schema: string;
    readonly name: string;
    readonly description: string;
    readonly indexes: readonly PublishedIndex[];
    readonly grantSelect: readonly string[];
    /** By column name. */
    readonly comments: ReadonlyMap<string, string>;
}

export interface PublishedTable extends PublishedBase {
    readonly kind: "table";
    readonly columns: readonly PublishedColumn[];
    readonly primaryKey: readonly string[];
    /** Columns that identify a row: the primary key, or the model's grain. Empty: none declared. */
    readonly key: readonly string[];
    /** Date column whose latest value must not go back. */
    readonly asOf?: string;
    readonly rowCountBand?: { readonly min: number; readonly max: number };
    /** Switched on; off means: as the table in service has it. */
    readonly rowSecurity: boolean;
    readonly policies: readonly Omit<Policy, "needs" | "comment" | "readsItself">[];
    readonly mode: "swap" | "diff";
}

export interface PublishedView extends PublishedBase {
    readonly kind: "view";
    readonly sql: string;
    /** Published names of what it reads in the build schema. */
    readonly reads: readonly string[];
}

export type Published = PublishedTable | PublishedView;

export interface PublishedColumn {
    readonly name: string;
    readonly duckdbType: string;
    /** As format_type prints it. */
    readonly postgresType: string;
    readonly notNull: boolean;
}

export interface PublishedIndex {
    readonly name: string;
    readonly columns: readonly string[];
    readonly unique: boolean;
}

const publishTag = "publish";

/**
 * The published models among `names` and those that must go with them: views are always built over tables
 * of the same generation, so a table takes the views over it along, and a view its tables.
 */
export function modelsToPublish(
    compiled: CompiledProject,
    names: ReadonlySet<string>,
): readonly CompiledModel[] {
    const published = new Map<string, CompiledModel>();
    for (const name of compiled.order) {
        const node = compiled.nodes.get(name);
        if (node?.kind === "model" && node.config.tags.includes(publishTag)) published.set(name, node);
    }
    const chosen = new Set([...published.keys()].filter((name) => names.has(name)));
    for (let size = -1; size !== chosen.size; ) {
        size = chosen.size;
        for (const [name, model] of published) {
            if (!isView(model)) continue;
            const read = model.refs.filter((ref) => published.has(ref));
            if (chosen.has(name) || read.some((ref) => chosen.has(ref))) {
                for (const each of [name, ...read]) chosen.add(each);
            }
        }
    }
    return [...published.values()].filter(({ name }) => chosen.has(name));
}

/** Reads column types from the warehouse; refuses, with all problems at once, what Postgres cannot hold. */
export async function describePublication(
    models: readonly CompiledModel[],
    defaultSchema: string,
    warehouse: Warehouse,
): Promise<Publication> {
    const problems: string[] = [];
    const tables: PublishedTable[] = [];
    const views: PublishedView[] = [];
    const names = new Map<string, string>();
    for (const model of models) {
        const base = describeBase(model, defaultSchema);
        const twin = names.get(base.name);
        if (twin) problems.push(`${model.file}: it is published as "${base.name}", as ${twin} is`);
        names.set(base.name, model.file);
        problems.push(...tooLong(model.file, [base.schema, base.name]));
        if (isView(model)) {
            if (model.config.publish?.rowSecurity) {
                problems.push(
                    `${model.file}: Postgres has no row security for materialized views: declare policies on tables`,
                );
            }
            const reads = model.refs
                .map((ref) => models.find(({ name }) => name === ref))
                .filter((read) => read !== undefined)
                .map((read) => read.config.publish?.name ?? read.name);
            views.push({ kind: "view", ...base, sql: model.sql, reads });
        } else if (["table", "view", "postgres_table"].includes(model.config.materialized)) {
            const columns = await warehouse.describe(`select * from main."${model.name}"`);
            problems.push(...columnProblems(model, columns));
            tables.push({ kind: "table", ...base, ...describeTable(model.config, columns) });
        } else {
            problems.push(
                `${model.file}: it is tagged ${publishTag} and materialized as ${model.config.materialized}; published are ` +
                    "table, view, postgres_table and postgres_materialized_view",
            );
        }
    }
    if (problems.length > 0) throw new PublishError("preflight", problems.join("\n"));
    return { tables, views };
}

function isView(model: CompiledModel): boolean {
    return model.config.materialized === "postgres_materialized_view";
}

function describeBase(model: CompiledModel, defaultSchema: string): Omit<PublishedBase, "kind"> {
    const { config } = model;
    const name = config.publish?.name ?? model.name;
    return {
        model: model.name,
        schema: config.publish?.schema ?? defaultSchema,
        name,
        description: config.description,
        indexes: (config.publish?.indexes ?? []).map(({ columns, unique }) => ({
            name: shortName(`${name}_${columns.join("_")}_${unique ? "key" : "idx"}`),
            columns,
            unique,
        })),
        grantSelect: config.publish?.grantSelect ?? [],
        comments: new Map(
            config.columns.flatMap((column) => {
                const text = describeColumn(column);
                return text ? [[column.name, text]] : [];
            }),
        ),
    };
}

/** `Meaning. (tier: history; unit: rate; 0 to 1; NULL: no earlier start.)` */
function describeColumn(column: ModelConfig["columns"][number]): string {
    const { description, tier, unit, range, nullPolicy } = column;
    // A policy that has the word in it says it itself.
    const nulls = nullPolicy && (/\bNULL\b/.test(nullPolicy) ? nullPolicy : `NULL: ${nullPolicy}`);
    const facts = [tier && `tier: ${tier}`, unit && `unit: ${unit}`, describeRange(range), nulls];
    const aside = facts.filter(Boolean).join("; ");
    return [description.trim(), aside && `(${aside})`].filter(Boolean).join(" ");
}

function describeRange([min, max]: readonly [number | null, number | null] = [null, null]): string {
    if (min !== null && max !== null) return `${min} to ${max}`;
    if (min !== null) return `${min} or more`;
    return max === null ? "" : `${max} or less`;
}

function describeTable(config: ModelConfig, columns: readonly ColumnType[]) {
    const primaryKey = config.publish?.primaryKey ?? [];
    const band = config.publish?.rowCountBand;
    return {
        primaryKey,
        key: primaryKey.length > 0 ? primaryKey : config.grain,
        ...(config.asOf && { asOf: config.asOf }),
        ...(band && { rowCountBand: band }),
        rowSecurity: config.publish?.rowSecurity ?? false,
        mode: config.publish?.mode ?? ("swap" as const),
        policies: (config.publish?.policies ?? []).map(({ name, roles, using, restrictive }) => ({
            name,
            permissive: !restrictive,
            command: "select",
            roles,
            using,
            check: null,
        })),
        columns: columns.map(({ name, type }) => ({
            name,
            duckdbType: type,
            postgresType: postgresType(type)?.sql ?? "",
            notNull: primaryKey.includes(name),
        })),
    };
}

function columnProblems(model: CompiledModel, columns: readonly ColumnType[]): readonly string[] {
    const names = new Set(columns.map(({ name }) => name));
    const keys = [
        ...(model.config.publish?.primaryKey ?? []),
        ...(model.config.publish?.indexes ?? []).flatMap((index) => index.columns),
    ];
    return [
        ...tooLong(model.file, [...names]),
        ...columns
            .filter(({ type }) => !postgresType(type))
            .map(
                ({ name, type }) =>
                    `${model.file}: column "${name}" has the type ${type}, which has no exact counterpart in Postgres. ` +
                    `Cast it in the model to one of: ${publishableTypes}`,
            ),
        ...keys
            .filter((key) => !names.has(key))
            .map(
                (key) =>
                    `${model.file}: publish names a key or index column "${key}"; it has ${[...names].join(", ")}`,
            ),
    ];
}

/** Postgres cuts longer names off without an error, and two of them may then be one. */
function tooLong(file: string, names: readonly string[]): readonly string[] {
    return names
        .filter((name) => Buffer.byteLength(name) > 63)
        .map(
            (name) => `${file}: "${name}" has ${Buffer.byteLength(name)} bytes; Postgres keeps 63 of a name`,
        );
}

function shortName(name: string): string {
    if (Buffer.byteLength(name) <= 63) return name;
    return `${name.slice(0, 54)}_${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
