import type { Position, Problem } from "../errors.ts";

/** What a template may name. */
export interface KnownNames {
    /** Models and seeds, disabled ones too. */
    readonly relations: ReadonlySet<string>;
    readonly assertions: ReadonlySet<string>;
    readonly sources: ReadonlySet<string>;
    readonly vars: Readonly<Record<string, unknown>>;
    readonly partials: ReadonlySet<string>;
    readonly env: Readonly<Record<string, string | undefined>>;
}

/** What one template said while it was rendered. */
export interface Rendering {
    /** First position of every ref. */
    readonly refs: Map<string, Position>;
    readonly sources: Map<string, Position>;
    /** `{{config ...}}`, in order. */
    readonly configs: { readonly values: Readonly<Record<string, unknown>>; readonly position: Position }[];
    /** May be added to by helpers, which go on with a placeholder so that one pass finds everything. */
    readonly problems: { readonly position: Position; readonly message: string }[];
    /** Files of the macros under way, innermost last; the template itself is the first. */
    readonly stack: string[];
}

export function newRendering(file: string): Rendering {
    return { refs: new Map(), sources: new Map(), configs: [], problems: [], stack: [file] };
}

/** One problem a place: a macro used by ten models is wrong once. */
export function uniqueProblems(problems: readonly Problem[]): readonly Problem[] {
    const seen = new Map<string, Problem>();
    for (const problem of problems) {
        const { file, line, column, key } = problem;
        const id =
            line === undefined
                ? JSON.stringify([file, key, problem.message])
                : JSON.stringify([file, line, column]);
        if (!seen.has(id)) seen.set(id, problem);
    }
    return [...seen.values()].sort(
        (one, other) =>
            (one.file ?? "").localeCompare(other.file ?? "") ||
            (one.line ?? 0) - (other.line ?? 0) ||
            (one.column ?? 0) - (other.column ?? 0),
    );
}
