import { nearestNames } from "../names.ts";
import type { KnownNames } from "./scope.ts";

/** Why `{{ref "name"}}` cannot be, or `undefined` when the relation exists. */
export function refProblem(name: unknown, known: KnownNames): string | undefined {
    if (typeof name !== "string") return 'ref takes the name of a model or seed: {{ref "name"}}';
    if (known.relations.has(name)) return undefined;
    if (known.assertions.has(name)) return `ref to the assertion ${name}: only models and seeds can be read`;
    if (known.sources.has(name))
        return `there is no model or seed ${name}, but a source: {{source "${name}"}}`;
    return `there is no model or seed ${name}; ${nearest(name, known.relations)}`;
}

export function sourceProblem(name: unknown, known: KnownNames): string | undefined {
    if (typeof name !== "string") return 'source takes the name of a source: {{source "name"}}';
    if (known.sources.has(name)) return undefined;
    if (known.relations.has(name))
        return `there is no source ${name}, but a model or seed: {{ref "${name}"}}`;
    return `there is no source ${name}; ${nearest(name, known.sources)}`;
}

/** The value of a variable; `elo.k` is the key k of the variable elo. */
export function findVar(
    name: unknown,
    { vars }: Pick<KnownNames, "vars">,
): { readonly value: unknown } | { readonly problem: string } {
    if (typeof name !== "string") return { problem: 'var takes the name of a variable: {{var "name"}}' };
    if (Object.hasOwn(vars, name)) return { value: vars[name] };
    let value: unknown = vars;
    for (const part of name.split(".")) {
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) {
            return {
                problem: `rebuild.yml has no variable ${name}; ${nearest(name, Object.keys(vars))}`,
            };
        }
        value = (value as Record<string, unknown>)[part];
    }
    return { value };
}

/** `did you mean a or b?`, or what there is. */
export function nearest(name: string, known: Iterable<string>): string {
    const all = [...known].sort();
    const close = nearestNames(name, all);
    if (close.length > 0) return `did you mean ${close.join(" or ")}?`;
    if (all.length === 0) return "there are none";
    const shown = all.slice(0, 12).join(", ");
    return `known are ${shown}${all.length > 12 ? ` and ${all.length - 12} more` : ""}`;
}
