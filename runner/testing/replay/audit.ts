import type { Source } from "../../project/project.ts";
import type { ChosenDay } from "./choose-days.ts";
import { clockedSources, outcomeColumns } from "./clocks.ts";
import type { Replay } from "./replay.ts";
import type { Coverage } from "./slices/coverage.ts";

/** What an audit rested on, did and found. */
export interface Audit {
    readonly project: string;
    readonly seed: number;
    readonly passed: boolean;
    readonly seconds: number;
    readonly declarations: readonly SourceDeclaration[];
    /** Models whose rows were compared. */
    readonly models: readonly { readonly model: string; readonly asOf: string }[];
    /** What days that were replayed on a slice of the history hold of the values they have in the full build. */
    readonly coverage?: Coverage;
    readonly replays: readonly (Replay & Pick<ChosenDay, "why">)[];
}

/** What sources.yml says of when a source is known. */
export interface SourceDeclaration {
    readonly source: string;
    /** Absent: its rows belong to no day, and are never changed. */
    readonly clock?: string;
    /** The whole table is an outcome. */
    readonly isOutcome: boolean;
    readonly outcomes: readonly string[];
    /** `column`: the values of it that are known before. */
    readonly knownBefore: Readonly<Record<string, readonly string[]>>;
    readonly surrogates: readonly string[];
    readonly versions: readonly string[];
    /** Columns of which nothing is said; they count as known before. */
    readonly undeclared: readonly string[];
}

export function declarationsOf(sources: readonly Source[]): readonly SourceDeclaration[] {
    const groups = new Map(clockedSources(sources).map(({ source, group }) => [source.name, group]));
    return sources.map((source): SourceDeclaration => {
        const group = groups.get(source.name);
        const named = (columns: readonly { readonly name: string }[]) => columns.map(({ name }) => name);
        return {
            source: source.name,
            ...(group && { clock: `${group.dated.name}.${group.dateColumn}` }),
            isOutcome: source.known === "after",
            outcomes: named(outcomeColumns(source)),
            knownBefore: Object.fromEntries(
                source.columns
                    .filter(({ knownBeforeValues }) => knownBeforeValues.length > 0)
                    .map(({ name, knownBeforeValues }) => [name, knownBeforeValues]),
            ),
            surrogates: named(source.columns.filter(({ surrogate }) => surrogate)),
            versions: named(source.columns.filter(({ version }) => version)),
            undeclared: named(source.columns.filter(({ isKnownDeclared }) => !isKnownDeclared)),
        };
    });
}

/** What a run's record and a generation keep of an audit. */
export interface AuditSummary {
    readonly passed: boolean;
    readonly days: readonly string[];
    readonly replays: number;
    readonly models: number;
    readonly rows: number;
    readonly cells: number;
    readonly seed: number;
    readonly seconds: number;
}

export function summarizeAudit({ passed, replays, models, seed, seconds }: Audit): AuditSummary {
    const compared = replays.flatMap((replay) => replay.models);
    return {
        passed,
        days: [...new Set(replays.map(({ day }) => day))],
        replays: replays.length,
        models: models.length,
        rows: compared.reduce((sum, { rows }) => sum + rows, 0),
        cells: compared.reduce((sum, { cells }) => sum + cells, 0),
        seed,
        seconds,
    };
}
