import type { CompiledModel } from "../../runner/compile/compiled.ts";
import { type Dependence, measureDependence } from "../../runner/testing/dependence/measure-dependence.ts";
import { withSimulatedSources } from "./simulated-sources.ts";

/** The dataset's dependence on source columns, in a small simulated world. */
export function measureDataset(
    settings: { readonly seed: number; readonly races: number },
    origins?: readonly string[],
): Promise<Dependence> {
    return withSimulatedSources({ ...settings, today: "2025-03-03" }, ({ warehouse, project, compiled }) =>
        measureDependence({
            project,
            compiled,
            warehouse,
            models: [compiled.nodes.get("race_training_dataset") as CompiledModel],
            events: settings.races,
            ...(origins && { origins }),
            signal: new AbortController().signal,
        }),
    );
}

/** Columns that move, in the given scopes, with a source column. */
export function columnsMovedBy(
    { models }: Dependence,
    origin: string,
    scopes: readonly ("own" | "event" | "day" | "earlier" | "later")[],
): readonly string[] {
    return models[0]!.columns
        .filter(({ dependsOn }) => scopes.some((scope) => dependsOn[scope].includes(origin)))
        .map(({ column }) => column);
}
