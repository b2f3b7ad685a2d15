import type { z } from "zod";
import type { Problem } from "../errors.ts";
import { nearestNames } from "../names.ts";
import { scrub } from "../secrets.ts";
import { type KeyPath, problemAt, type YamlDocument } from "./yaml-file.ts";

/**
 * Raw data against a schema. What does not fit becomes problems, each at its key; the result is then
 * `undefined`. `path` is where the value stands in its document.
 */
export function checkShape<Output>(
    schema: z.ZodType<Output>,
    value: unknown,
    document: YamlDocument,
    path: KeyPath,
    problems: Problem[],
): Output | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
        problems.push(...describeIssue(issue, schema, value, document, path));
    }
    return undefined;
}

function describeIssue(
    issue: z.core.$ZodIssue,
    schema: z.core.$ZodType,
    value: unknown,
    document: YamlDocument,
    base: KeyPath,
): readonly Problem[] {
    const inner = issue.path as (string | number)[];
    const path = [...base, ...inner];
    if (issue.code === "unrecognized_keys") {
        const known = knownKeys(schema, inner, value);
        return issue.keys.map((key) =>
            problemAt(document, [...path, key], `unknown key ${key}; ${suggest(key, known, "allowed are")}`),
        );
    }
    // A union of a short and a long form: the branch that got furthest into the value speaks.
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
        const branches = [...issue.errors].sort((one, other) => depthOf(other) - depthOf(one));
        const best = branches[0]!;
        if (depthOf(best) > 0) {
            return best.flatMap((nested) =>
                describeIssue(
                    { ...nested, path: [...issue.path, ...nested.path] } as z.core.$ZodIssue,
                    schema,
                    value,
                    document,
                    base,
                ),
            );
        }
    }
    return [problemAt(document, path, messageOf(issue, valueAt(value, inner)))];
}

/** `did you mean a?` when a name looks like it, else the list of what is allowed. */
export function suggest(name: string, known: readonly string[], listed: string): string {
    const nearest = nearestNames(name, known);
    if (nearest.length > 0) return `did you mean ${nearest.join(" or ")}?`;
    return known.length > 0 ? `${listed} ${known.join(", ")}` : "nothing is allowed here";
}

function messageOf(issue: z.core.$ZodIssue, found: unknown): string {
    const shown = describeValue(found);
    switch (issue.code) {
        case "invalid_type":
            if (found === undefined) return `missing; it must be ${nameType(issue.expected)}`;
            return `must be ${nameType(issue.expected)}, found ${shown}`;
        case "invalid_value":
            return found === undefined
                ? `missing; allowed are ${issue.values.map(String).join(", ")}`
                : `found ${shown}; ${suggest(String(found), issue.values.map(String), "allowed are")}`;
        case "invalid_union": {
            const options = "options" in issue ? (issue.options as readonly unknown[]) : undefined;
            if (options && "discriminator" in issue) {
                return `its ${String(issue.discriminator)} must be one of ${options.map(String).join(", ")}, found ${shown}`;
            }
            const expected = issue.errors
                .flat()
                .flatMap((nested) => (nested.code === "invalid_type" ? [nameType(nested.expected)] : []));
            return expected.length > 0
                ? `must be ${[...new Set(expected)].join(" or ")}, found ${shown}`
                : `${issue.message}, found ${shown}`;
        }
        case "invalid_key":
            return issue.issues[0]?.message ?? issue.message;
        case "too_small":
            if (issue.origin === "array") return "must not be empty";
            if (issue.origin === "string") return "must not be empty";
            return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}, found ${shown}`;
        case "too_big":
            return `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}, found ${shown}`;
        default:
            return issue.message;
    }
}

function nameType(expected: string): string {
    const names: Record<string, string> = {
        string: "text",
        number: "a number",
        int: "a whole number",
        boolean: "true or false",
        object: "a map of keys",
        record: "a map of keys",
        array: "a list",
        tuple: "a list",
    };
    return names[expected] ?? expected;
}

function describeValue(value: unknown): string {
    if (value === undefined) return "nothing";
    if (value === null) return "nothing (null)";
    if (Array.isArray(value)) return "a list";
    if (typeof value === "object") return "a map";
    if (typeof value !== "string") return String(value);
    // Before it is cut: half of a password is no longer known as one.
    const text = scrub(value);
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** How much of the value a branch of a union understood: an issue below the top, or a complaint about keys. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
    return Math.max(...issues.map((issue) => (issue.code === "unrecognized_keys" ? 1 : issue.path.length)));
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
    return path.reduce<unknown>(
        (found, part) => (found as Record<string | number, unknown> | null | undefined)?.[part],
        value,
    );
}

/** The keys that a schema allows at a path. */
function knownKeys(
    schema: z.core.$ZodType,
    path: readonly (string | number)[],
    value: unknown,
): readonly string[] {
    const [part, ...rest] = path;
    const branches = branchesOf(schema, value);
    const objects = branches.filter(
        (branch): branch is z.core.$ZodObject => branch._zod.def.type === "object",
    );
    if (part === undefined) return objects.flatMap((branch) => Object.keys(branch._zod.def.shape));
    const below = valueAt(value, [part]);
    const next: z.core.$ZodType[] = [];
    for (const branch of branches) {
        const { def } = branch._zod;
        if (def.type === "object") {
            const member = (branch as z.core.$ZodObject)._zod.def.shape[part as string];
            if (member) next.push(member);
        }
        if (def.type === "record") next.push((branch as z.core.$ZodRecord)._zod.def.valueType);
        if (def.type === "array") next.push((branch as z.core.$ZodArray)._zod.def.element);
    }
    return [...new Set(next.flatMap((member) => knownKeys(member, rest, below)))];
}

/** A schema without its wrappers; the branches of a union that fit the value's discriminator. */
function branchesOf(schema: z.core.$ZodType, value: unknown): readonly z.core.$ZodType[] {
    const def = schema._zod.def as z.core.$ZodTypeDef & Record<string, unknown>;
    if (def.type === "union") {
        const options = def.options as readonly z.core.$ZodType[];
        const discriminator = def.discriminator as string | undefined;
        const type = discriminator && valueAt(value, [discriminator]);
        const fitting = options.filter((option) => {
            const shape = (option._zod.def as { shape?: Record<string, z.core.$ZodType> }).shape;
            return !discriminator || !shape || allowsValue(shape[discriminator], type);
        });
        return fitting.flatMap((option) => branchesOf(option, value));
    }
    if (def.type === "pipe") {
        const into = def.out as z.core.$ZodType;
        const from = def.in as z.core.$ZodType;
        return branchesOf(into._zod.def.type === "transform" ? from : into, value);
    }
    if ("innerType" in def) return branchesOf(def.innerType as z.core.$ZodType, value);
    return [schema];
}

function allowsValue(schema: z.core.$ZodType | undefined, value: unknown): boolean {
    const values = schema?._zod.values;
    return !values || values.has(value as z.core.util.Primitive);
}
