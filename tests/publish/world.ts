import type { CompiledModel, CompiledProject } from "../../runner/compile/compiled.ts";
import type { ModelConfig, ModelPublishConfig } from "../../runner/project/project.ts";
import { type PublishOptions, type PublishResult, publishModels } from "../../runner/publish/publish.ts";
import type { RunEvent } from "../../runner/status/events.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { inMemory, withWarehouse } from "../../runner/warehouse/warehouse.ts";

/** A published model of a test, as the compiler would hand it over. */
export interface ModelSpec {
    readonly name: string;
    /** A view's Postgres SQL; absent: a table of the warehouse. */
    readonly view?: { readonly sql: string; readonly refs: readonly string[] };
    readonly config?: Partial<ModelConfig>;
    readonly publish?: Partial<ModelPublishConfig>;
}

export function compileModels(specs: readonly ModelSpec[]): CompiledProject {
    const nodes = specs.map(
        ({ name, view, config, publish }): CompiledModel => ({
            kind: "model",
            name,
            file: `models/${name}.sql`,
            language: "sql",
            refs: view?.refs ?? [],
            sources: [],
            sql: view?.sql ?? "",
            lineMap: [],
            config: {
                materialized: view ? "postgres_materialized_view" : "postgres_table",
                enabled: true,
                tags: ["publish"],
                description: `The model ${name}.`,
                grain: [],
                columns: [],
                tests: [],
                ...config,
                publish: {
                    ...{ primaryKey: [], indexes: [], grantSelect: [], policies: [] },
                    ...{ rowSecurity: (publish?.policies ?? []).length > 0, mode: "swap", ...publish },
                },
            },
        }),
    );
    return {
        nodes: new Map(nodes.map((node) => [node.name, node])),
        order: specs.map(({ name }) => name),
        macros: [],
        warnings: [],
    };
}

/** A stable with runners and two views over them: small, but with everything that a publish handles. */
export const stable: readonly ModelSpec[] = [
    {
        name: "starts",
        config: {
            grain: ["race_id", "horse"],
            asOf: "race_date",
            columns: [
                { name: "speed", description: "Speed in the race.", unit: "m/s", tier: "history", tests: [] },
            ],
        },
        publish: { primaryKey: ["race_id", "horse"], indexes: [{ columns: ["race_date"], unique: false }] },
    },
    { name: "form", config: { grain: ["horse"] }, publish: { schema: "serving", primaryKey: ["horse"] } },
    {
        name: "current_form",
        view: {
            sql: 'select horse, starts, generation, current_date - last_race as days from rebuild_build."form"',
            refs: ["form"],
        },
        publish: { indexes: [{ columns: ["horse"], unique: true }] },
    },
    {
        name: "latest_starts",
        view: {
            sql: "select starts.horse, max(starts.generation) as generation, count(*) as starts, max(form.generation) as form_generation from rebuild_build.starts join rebuild_build.form using (horse) group by starts.horse",
            refs: ["starts", "form"],
        },
        publish: { indexes: [{ columns: ["horse"], unique: true }] },
    },
];

/** The stable with its tables swapped, or changed in place where only rows differ. */
export function inMode(mode: "swap" | "diff"): readonly ModelSpec[] {
    return stable.map((model) => (model.view ? model : { ...model, publish: { ...model.publish, mode } }));
}

/** Every row carries the number of its generation, so that readers can tell a mixture. */
export async function fillStable(warehouse: Warehouse, generation: number, rows = 1000): Promise<void> {
    await warehouse.execute(`
        create or replace table starts as
        select
            (i // 10)::bigint as race_id, 'horse ' || (i % 50) || ' of a stable with a long name' as horse,
            (date '2020-01-01' + (i // 10)::integer) as race_date, ${generation} as generation,
            case when i % 7 = 0 then null else (i * 0.37)::float end as speed,
            (i / 7)::decimal(12, 3) as prize, i % 3 = 0 as is_win, (i % 20)::usmallint as starts_before
        from range(${rows}) as numbers (i)
        where i % 50 not in (13)
        qualify row_number() over (partition by race_id, horse order by i) = 1;
        create or replace table form as
        select horse, count(*)::integer as starts, ${generation} as generation, max(race_date) as last_race
        from starts group by horse;`);
}

export function withMemoryWarehouse<T>(callback: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    return withWarehouse(inMemory, { memoryLimit: "512MB", threads: 1, spillDirectory: "/tmp" }, callback);
}

export function connectionTo(
    url: string,
    settings: Partial<PublishOptions["connection"]> = {},
): PublishOptions["connection"] {
    return {
        type: "postgres",
        url,
        schema: "public",
        keepGenerations: 1,
        swapTimeoutSeconds: 5,
        valueShareMin: 0.5,
        rowCountBand: { min: 0.9, max: 1.5 },
        ...settings,
    };
}

export interface PublishCall extends Partial<PublishOptions> {
    readonly url: string;
    readonly warehouse: Warehouse;
    readonly models?: readonly ModelSpec[];
    readonly settings?: Partial<PublishOptions["connection"]>;
    readonly events?: RunEvent[];
}

export function publish({
    url,
    warehouse,
    models = stable,
    settings,
    events,
    ...rest
}: PublishCall): Promise<PublishResult> {
    const compiled = compileModels(models);
    return publishModels({
        connection: connectionTo(url, settings),
        warehouse,
        compiled,
        names: new Set(compiled.order),
        run: { id: "test", startedAt: new Date() },
        report: (event) => events?.push(event),
        signal: new AbortController().signal,
        ...rest,
    });
}
