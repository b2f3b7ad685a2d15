import type { CompiledModel, CompiledProject } from "../../compile/compiled.ts";
import { auditedModels } from "./replay-plan.ts";

/** A model that may have another recipe for histories longer than those of a slice. */
export interface LongCount {
    readonly model: string;
    /** The number in the SQL that no slice counts to. */
    readonly number: number;
}

const comments = /--[^\n]*|\/\*[\s\S]*?\*\//g;
const number = String.raw`\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?`;
/** What something is compared with, and the length of a frame: of other numbers, a distance or a factor, nothing is counted. */
const limits = [
    new RegExp(String.raw`(?:[<>]=?|\bbetween|\band)\s*\(?\s*(${number})(?!\w)`, "gi"),
    new RegExp(String.raw`(?<![\w.'])(${number})\s*(?:[<>]|\bpreceding\b|\bfollowing\b)`, "gi"),
];

/**
 * Models in whose SQL something is compared with a number that a whole history may count to, and a slice does not: which of two recipes gave
 * a value cannot be seen from the value.
 */
export function longCounts(
    compiled: CompiledProject,
    names: ReadonlySet<string> | undefined,
    { beyond, upTo }: { readonly beyond: number; readonly upTo: number },
): readonly LongCount[] {
    return auditedModels(compiled)
        .filter(({ name }) => !names || names.has(name))
        .flatMap((model) => {
            const number = numbersOf(model).find((one) => one > beyond && one <= upTo);
            return number === undefined ? [] : [{ model: model.name, number }];
        });
}

function numbersOf({ sql }: CompiledModel): readonly number[] {
    const text = sql.replace(comments, "");
    return limits
        .flatMap((limit) => [...text.matchAll(limit)])
        .map(([, found]) => Number(found!.replaceAll("_", "")));
}
