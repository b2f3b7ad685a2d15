import { PublishError } from "../errors.ts";
import type { Division } from "./divide.ts";
import { qualified } from "./live-object.ts";
import type { Preflight } from "./preflight.ts";
import { overridable } from "./preflight.ts";
import type { PublishOverride } from "./steps.ts";

/** Columns that accept no NULL in service and have some in the model: refused, or noted where that was overridden. */
export function looserColumns(
    { changed, surveys }: Division,
    { live }: Preflight,
    overrides: ReadonlySet<PublishOverride>,
): readonly string[] {
    const found = changed.tables.flatMap((table) => {
        const { rows, valueCounts } = surveys.get(table.model)!;
        return (live.get(qualified(table))?.columns ?? [])
            .filter(({ name, notNull }) => notNull && (valueCounts.get(name) ?? rows) < rows)
            .map(
                ({ name }) =>
                    `${qualified(table)}: column "${name}" accepts no NULL in service, and ${rows - valueCounts.get(name)!} rows of the model have one`,
            );
    });
    if (found.length === 0 || overrides.has("columns")) return found;
    const lines = found.map((change) => `- ${overridable(change, "columns")}`);
    throw new PublishError("preflight", `Publishing was refused before any work:\n${lines.join("\n")}`);
}
