import type { RunRecord } from "../status/artifacts.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { run } from "./run.ts";

/** Loads the seeds into the last good warehouse: a partial run of seeds alone, with their tests, published nowhere. */
export async function seed(
    options: CommonOptions & SelectionOptions,
    environment: Environment,
): Promise<RunRecord> {
    const select =
        options.select.length > 0
            ? options.select.map((criterion) => `${criterion},type:seed`)
            : ["type:seed"];
    return run({ ...options, select, publish: false, overrides: [] }, environment);
}
