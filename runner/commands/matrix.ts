import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CompiledModel, CompiledProject } from "../compile/compiled.ts";
import { ConfigError } from "../errors.ts";
import { nearestNames } from "../names.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import { describeDependence } from "../testing/dependence/dependence-report.ts";
import { type Dependence, measureDependence } from "../testing/dependence/measure-dependence.ts";
import type { CommonOptions, Environment } from "./environment.ts";
import { withLastGood } from "./last-good.ts";
import { prepare } from "./prepare.ts";

export interface MatrixOptions extends CommonOptions {
    /** Default: the published ones with `as_of` and tiers. */
    readonly model?: readonly string[];
    /** Columns to show; all are measured. */
    readonly columns?: readonly string[];
    /** Source columns to change, as `source.column`; default: all. */
    readonly source?: readonly string[];
    readonly events: number;
    readonly day?: string;
}

/** Measures on which source columns each column depends, and holds it against its tier. */
export async function matrix(options: MatrixOptions, environment: Environment): Promise<Dependence> {
    const { project, compiled, targetDirectory } = await prepare(options, environment);
    const models = chooseModels(compiled, options.model);
    const { note, data } = environment.output;
    const dependence = await withLastGood(project, (warehouse) =>
        measureDependence({
            project,
            compiled,
            warehouse,
            models,
            events: options.events,
            ...(options.day !== undefined && { day: options.day }),
            ...(options.source && { origins: options.source }),
            signal: environment.signal,
            onProbe: (name, done, total) => note(`${done} of ${total}: ${name}`),
        }),
    );
    const json = JSON.stringify(toSnakeCase(dependence), null, 2);
    await mkdir(targetDirectory, { recursive: true });
    await writeFile(join(targetDirectory, "dependence.json"), `${json}\n`);
    await writeFile(join(targetDirectory, "dependence.txt"), `${describeDependence(dependence)}\n`);
    data(options.json ? json : describeDependence(dependence, options.columns));
    return dependence;
}

function chooseModels(
    { nodes }: CompiledProject,
    names: readonly string[] | undefined,
): readonly CompiledModel[] {
    const measurable = [...nodes.values()]
        .filter((node) => node.kind === "model")
        .filter(
            ({ config }) =>
                config.asOf !== undefined &&
                config.grain.length > 0 &&
                config.columns.length > 0 &&
                config.materialized !== "ephemeral" &&
                config.materialized !== "postgres_materialized_view",
        );
    if (!names) {
        const published = measurable.filter(
            ({ config }) => config.tags.includes("publish") && config.columns.some(({ tier }) => tier),
        );
        if (published.length > 0) return published;
        throw new ConfigError(
            "No published model has `as_of`, a grain and columns with tiers: name one with --model.",
        );
    }
    return names.map((name) => {
        const found = measurable.find((model) => model.name === name);
        if (found) return found;
        const near = nearestNames(
            name,
            measurable.map((model) => model.name),
        );
        throw new ConfigError(
            `${name} is no model with \`as_of\`, a grain and declared columns${near.length > 0 ? `; near: ${near.join(", ")}` : ""}.`,
        );
    });
}
