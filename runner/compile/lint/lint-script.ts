import type { CompiledModel } from "../compiled.ts";
import type { RawFinding } from "./frame-rules.ts";
import { type LintedModel, settle } from "./lint-model.ts";

const patterns = [
    ["clock", /\bDate\.now\(|\bnew Date\(\s*\)|\bTemporal\.Now\b/g],
    ["random", /\bMath\.random\(|\brandom(?:UUID|Bytes|Int)\(|\bgetRandomValues\(/g],
] as const;

/** Comments and texts, which are not what is run. */
const silent = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;

/**
 * Clock and chance in a TypeScript model, as far as its own file shows: a replay sets the clock of DuckDB alone, so
 * nothing else would tell. Of any script, that it can hide lengths. Accepted in the model's yml.
 */
export function lintScript(
    model: CompiledModel,
    texts: ReadonlyMap<string, string>,
    isRead: boolean,
): LintedModel {
    const text = texts.get(model.file) ?? "";
    const code = text.replace(silent, (found) => found.replace(/[^\n]/g, " "));
    const hidden: RawFinding = {
        rule: "history-length",
        offset: 0,
        message:
            "a script cannot be looked into: it may tell a history that is longer than a slice by its length, so audits replay it on the whole history; accept that where what it does is the same for long and short ones",
    };
    const shown = patterns.flatMap(([rule, pattern]) =>
        [...code.matchAll(pattern)].map(
            (match): RawFinding => ({
                rule,
                offset: match.index,
                message: `${match[0].replace(/\(\s*\)?$/, "")} is another value at the next run`,
            }),
        ),
    );
    const lineMap = text.split("\n").map((_, index) => ({ file: model.file, line: index + 1, column: 1 }));
    const owner = { ...model, sql: text, lineMap, inYml: model.config.acceptedLint ?? {} };
    return settle(owner, isRead ? [hidden, ...shown] : [], { accepted: [], broken: [] }, texts);
}
