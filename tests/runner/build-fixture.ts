import type {
    CompiledAssertion,
    CompiledModel,
    CompiledNode,
    CompiledProject,
} from "../../runner/compile/compiled.ts";
import type { ModelConfig, Project } from "../../runner/project/project.ts";
import type { NodeResult, RunEvent } from "../../runner/status/events.ts";
import { buildNodes } from "../../runner/warehouse/build.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";

export interface ShopModel extends Partial<ModelConfig> {
    readonly sql?: string;
    readonly refs?: readonly string[];
    readonly sources?: readonly string[];
    /** A seed or TypeScript model: its file, relative to the project's root. */
    readonly file?: string;
    readonly kind?: "model" | "seed";
}

export function modelConfig(config: Partial<ModelConfig> = {}): ModelConfig {
    return {
        materialized: "table",
        enabled: true,
        tags: [],
        description: "",
        grain: [],
        columns: [],
        tests: [],
        ...config,
    };
}

export function compiledShop(
    models: Readonly<Record<string, ShopModel>>,
    more: {
        readonly macros?: CompiledProject["macros"];
        readonly assertions?: readonly CompiledAssertion[];
    } = {},
): CompiledProject {
    const nodes = Object.entries(models).map(([name, model]): CompiledNode => {
        const {
            sql = "",
            refs = [],
            sources = [],
            file = `models/${name}.sql`,
            kind = "model",
            ...config
        } = model;
        const base = { name, file, refs, sources, config: modelConfig(config) };
        if (kind === "seed") return { ...base, kind };
        const language = file.endsWith(".ts") ? "typescript" : "sql";
        return { ...base, kind, language, sql, lineMap: [] } satisfies CompiledModel;
    });
    return {
        nodes: new Map([...nodes, ...(more.assertions ?? [])].map((node) => [node.name, node])),
        order: nodes.map(({ name }) => name),
        macros: more.macros ?? [],
        warnings: [],
    };
}

export function shopProject(root: string, concurrency = 4): Project {
    return {
        root,
        name: "shop",
        target: {
            name: "test",
            source: { type: "files", path: root },
            warehouse: {
                path: `${root}/target/warehouse.duckdb`,
                memoryLimit: "500MB",
                threads: 2,
                spillDirectory: `${root}/target/spill`,
                concurrency,
            },
        },
        vars: { discount: 0.1 },
        lint: {},
        audit: { days: 5, seed: 1, history: "whole" },
        sources: [],
        models: [],
        seeds: [],
        assertions: [],
        macros: [],
        env: {},
    };
}

export interface Built {
    readonly results: readonly NodeResult[];
    readonly events: readonly RunEvent[];
}

export async function buildCompiled(
    warehouse: Warehouse,
    compiled: CompiledProject,
    options: {
        readonly root?: string;
        readonly names?: readonly string[];
        readonly signal?: AbortSignal;
        readonly concurrency?: number;
        readonly onEvent?: (event: RunEvent) => void;
    } = {},
): Promise<Built> {
    const events: RunEvent[] = [];
    const results = await buildNodes({
        warehouse,
        project: shopProject(options.root ?? "/nowhere", options.concurrency),
        compiled,
        names: new Set(options.names ?? compiled.order),
        report: (event) => {
            events.push(event);
            options.onEvent?.(event);
        },
        signal: options.signal ?? new AbortController().signal,
    });
    return { results, events };
}

export function buildShop(
    warehouse: Warehouse,
    models: Readonly<Record<string, ShopModel>>,
    options: Parameters<typeof buildCompiled>[2] = {},
): Promise<Built> {
    return buildCompiled(warehouse, compiledShop(models), options);
}
