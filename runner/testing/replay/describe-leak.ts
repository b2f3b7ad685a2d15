import { countOf, formatCount } from "../../status/format.ts";
import type { Example } from "./differences.ts";
import { isClean, type ModelReplay, type Replay } from "./replay.ts";
import type { LeakOrigin } from "./trace-leak.ts";

const shownModels = 6;
const shownColumns = 6;

/** What differs, the models in dependency order: where a leak comes in stands first. */
export function describeLeaks({ models, slice }: Pick<Replay, "models" | "slice">): string {
    const leaking = models.filter((model) => !isClean(model));
    const lines = leaking.slice(0, shownModels).flatMap(describeLeak);
    const rest = leaking.slice(shownModels).map(({ model }) => model);
    if (rest.length > 0) lines.push(`and ${countOf(rest.length, "model")} more: ${rest.join(", ")}`);
    if (slice && leaking.length > 0)
        lines.push(
            `on a slice of ${formatCount(slice.events)} of ${countOf(slice.ofEvents, "event")}: what the models number is numbered anew in it`,
        );
    return lines.join("\n");
}

export function describeLeak(leak: ModelReplay): readonly string[] {
    const { model, file, columns, missing, extra, example, origin, failure } = leak;
    if (failure !== undefined)
        return [`${model} (${file}) could not be made: ${failure.replace(/\n/g, "\n    ")}`];
    const shown = columns
        .slice(0, shownColumns)
        .map(({ column, rows }) => `${column} (${countOf(rows, "row")})`);
    if (columns.length > shownColumns) shown.push(`and ${columns.length - shownColumns} more columns`);
    const parts = [
        ...(shown.length > 0 ? [`differs in ${shown.join(", ")}`] : []),
        ...(missing > 0 ? [`lacks ${countOf(missing, "row")}`] : []),
        ...(extra > 0 ? [`has ${countOf(extra, "row")} too many`] : []),
    ];
    return [
        `${model} (${file}) ${parts.join("; ")}`,
        ...(example ? [`    ${describeExample(example)}`] : []),
        ...(origin ? [`    ${describeOrigin(origin)}`] : []),
    ];
}

export function describeExample({ key, day, column, full, replayed }: Example): string {
    const row = Object.entries(key).map(([name, value]) => `${name} ${value ?? "NULL"}`);
    const where = `${row.join(", ")}${day === null ? "" : ` of ${day}`}`;
    if (column === undefined)
        return `${where}: the row is there ${full === null ? "only when replayed" : "only in the full build"}`;
    return `${where}: ${column} is ${full ?? "NULL"} in the full build, and ${replayed ?? "NULL"} when replayed`;
}

export function describeOrigin({ kind, source, event, day }: LeakOrigin): string {
    if (kind === "unstable")
        return "the value differs when nothing is changed, too: it is not the same from build to build, or the warehouse was built by other models than these";
    if (kind === "order")
        return "it comes from no event, but from the order of source rows or from their surrogates: a tie, or a row picked by either";
    if (kind === "clock")
        return "it comes from no event, but from the clock: on another morning it is another value";
    if (kind === "several") return `it comes from several rows of ${source} together, from ${day} on`;
    const key = Object.entries(event ?? {}).map(([name, value]) => `${name} ${value ?? "NULL"}`);
    const which = { own: "its own", "same-day": "another one of the day", later: "a later one" }[kind];
    return `it comes from ${source} ${key.join(", ")} of ${day}: ${which}`;
}
