import type { Position } from "../errors.ts";
import { quoteText } from "../names.ts";
import { nameMark, withoutMarks } from "./markers.ts";
import type { KnownNames, Rendering } from "./scope.ts";
import { findVar, refProblem, sourceProblem } from "./unknown-name.ts";

/** What Handlebars passes after a helper's own arguments. */
interface HelperOptions {
    readonly name: string;
    readonly hash: Readonly<Record<string, unknown>>;
    readonly loc: hbs.AST.SourceLocation & { readonly source?: string };
    readonly fn?: (context: unknown) => string;
}

export type Helper = (this: unknown, ...values: unknown[]) => unknown;

/** A helper's own arguments apart from what Handlebars adds. */
type Body = (args: readonly unknown[], report: (message: string) => void, options: HelperOptions) => unknown;

/** Helpers of every template. `current` is the rendering under way. */
export function createHelpers(known: KnownNames, current: () => Rendering): Readonly<Record<string, Helper>> {
    const helper =
        (least: number, most: number, usage: string, body: Body): Helper =>
        (...values) => {
            const options = values.at(-1) as HelperOptions;
            const args = values.slice(0, -1);
            const report = (message: string) => {
                current().problems.push({ position: positionOf(options, current()), message });
            };
            const hasHash = options.name !== "config" && Object.keys(options.hash).length > 0;
            if (args.length < least || args.length > most || hasHash || options.fn) {
                report(`${options.name} is used as ${usage}`);
                return "";
            }
            return body(args, report, options);
        };
    return {
        ref: helper(1, 1, '{{ref "model"}}', ([name], report, options) => {
            const problem = refProblem(name, known);
            if (problem !== undefined) {
                report(problem);
                return "";
            }
            remember(current().refs, name as string, options, current());
            return nameMark("ref", name as string);
        }),
        source: helper(1, 1, '{{source "name"}}', ([name], report, options) => {
            const problem = sourceProblem(name, known);
            if (problem !== undefined) {
                report(problem);
                return "";
            }
            remember(current().sources, name as string, options, current());
            return `sources.${name}`;
        }),
        var: helper(1, 2, '{{var "name"}} or {{var "name" default}}', (args, report) => {
            const found = findVar(args[0], known);
            if ("value" in found) return found.value;
            if (args.length === 2) return args[1];
            report(found.problem);
            return "";
        }),
        env_var: helper(1, 2, '{{env_var "NAME"}} or {{env_var "NAME" "default"}}', (args, report) => {
            const value = typeof args[0] === "string" ? known.env[args[0]] : undefined;
            if (value !== undefined && value !== "") return value;
            if (args.length === 2) return args[1];
            report(
                `the environment variable ${args[0]} is not set; set it or give a default: {{env_var "${args[0]}" "default"}}`,
            );
            return "";
        }),
        config: helper(0, 0, '{{config materialized="view" tags="a,b"}}', (_, __, options) => {
            current().configs.push({ values: { ...options.hash }, position: positionOf(options, current()) });
            return "";
        }),
        list: (...values) => values.slice(0, -1),
        range: helper(2, 3, "(range first last) or (range first last step)", (args, report) => {
            const [first, last, step = 1] = args.map(Number);
            if (![first, last, step].every((value) => Number.isFinite(value)) || Number(step) <= 0) {
                report(
                    "range takes numbers: (range first last) or (range first last step), the last included",
                );
                return [];
            }
            const count = Math.max(0, Math.floor((last! - first!) / step) + 1);
            return Array.from({ length: count }, (_, index) => first! + index * step);
        }),
        eq: helper(2, 2, "(eq one other)", ([one, other]) => plain(one) === plain(other)),
        ne: helper(2, 2, "(ne one other)", ([one, other]) => plain(one) !== plain(other)),
        /** A text literal of SQL. */
        quote: helper(1, 1, "{{quote text}}", ([value]) => quoteText(String(value))),
        join: helper(1, 2, '{{join list ", "}}', ([list, separator = ", "], report) => {
            if (Array.isArray(list)) return list.join(String(separator));
            report("join takes a list");
            return "";
        }),
    };
}

/** `each` of Handlebars renders nothing for a name that does not exist; here that is an error. */
export function strictEach(builtin: Helper, current: () => Rendering): Helper {
    return function (this: unknown, ...values) {
        const options = values.at(-1) as HelperOptions;
        const [over] = values;
        if (values.length === 2 && typeof over === "object" && over !== null)
            return builtin.call(this, over, options);
        current().problems.push({
            position: positionOf(options, current()),
            message: 'each takes a list or a map: {{#each (list 200 400)}}, {{#each (var "name")}}',
        });
        return "";
    };
}

function positionOf({ loc }: HelperOptions, { stack }: Rendering): Position {
    return { file: loc.source ?? stack.at(-1)!, line: loc.start.line, column: loc.start.column + 1 };
}

function remember(
    seen: Map<string, Position>,
    name: string,
    options: HelperOptions,
    rendering: Rendering,
): void {
    if (!seen.has(name)) seen.set(name, positionOf(options, rendering));
}

/** Numbers written as text compare as they are written: `(eq (var "n") "3")`. */
function plain(value: unknown): unknown {
    if (typeof value === "number") return String(value);
    return typeof value === "string" ? withoutMarks(value) : value;
}
