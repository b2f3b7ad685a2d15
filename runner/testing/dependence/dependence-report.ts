import { countOf, formatSeconds, formatTable } from "../../status/format.ts";
import { type Scope, scopes } from "./flows.ts";
import type { Dependence, ModelDependence, Violation } from "./measure-dependence.ts";

const headings: Readonly<Record<Scope, string>> = {
    own: "this row",
    event: "others of the event",
    day: "others of the day",
    earlier: "earlier days",
    later: "later days",
};

/** The page for people: what was measured, the matrix, and what must not be. */
export function describeDependence(dependence: Dependence, columns?: readonly string[]): string {
    const { sample, probes, skipped, violations, models, seconds } = dependence;
    const first = models[0];
    const measured = [
        sample && `Sample: ${countOf(sample.events, "event")} from ${sample.from} to ${sample.to}.`,
        first &&
            `Changed: one source column at a time, in ${countOf(first.rows, "row")} of ${countOf(first.events, "event")} on ${first.day}; ${countOf(first.untouched, "event")} of that day left as they were.`,
        `${countOf(probes.length, "build")} in ${formatSeconds(seconds)}; not changed: ${skipped.map(({ name, why }) => `${name} (${why})`).join(", ") || "nothing"}.`,
    ];
    return [
        measured.filter(Boolean).join("\n"),
        ...models.map((model) => describeModel(model, shortNames(probes), columns)),
        violations.length === 0
            ? "No column moves with what its tier may not know."
            : `${countOf(violations.length, "flow")} that a tier forbids:\n${violations.map(describeViolation).join("\n")}`,
    ].join("\n\n");
}

/** Without the source where no other source has a column of the name. */
function shortNames(names: readonly string[]): (name: string) => string {
    const own = (name: string) => name.slice(name.indexOf(".") + 1);
    const counts = new Map<string, number>();
    for (const name of names) counts.set(own(name), (counts.get(own(name)) ?? 0) + 1);
    return (name) => (counts.get(own(name)) === 1 ? own(name) : name);
}

function describeModel(
    { model, columns }: ModelDependence,
    nameOf: (origin: string) => string,
    only: readonly string[] | undefined,
): string {
    const shown = only ? columns.filter(({ column }) => only.includes(column)) : columns;
    if (columns.every(({ dependsOn }) => scopes.every((scope) => dependsOn[scope].length === 0)))
        return `${model}: nothing moved, it has no row on that day or after it.`;
    const used = scopes.filter((scope) => shown.some(({ dependsOn }) => dependsOn[scope].length > 0));
    const rows = shown.map(({ column, tier, dependsOn }) => [
        column,
        tier ?? "",
        ...used.map((scope) => dependsOn[scope].map(nameOf).join(" ")),
    ]);
    return `${model}\n${formatTable(["column", "tier", ...used.map((scope) => headings[scope])], rows)}`;
}

function describeViolation({ model, column, tier, origin, scope, rows, why, example }: Violation): string {
    const where = `${model}.${column} (${tier}) moves with ${origin} of ${headings[scope]}: ${why}. ${countOf(rows, "row")}`;
    if (!example) return `  ${where}`;
    const key = Object.entries(example.key).map(([name, value]) => `${name}=${value}`);
    return `  ${where}, such as ${key.join(", ")}: ${example.before ?? "NULL"} became ${example.after ?? "NULL"}`;
}
