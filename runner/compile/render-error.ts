import type { Problem } from "../errors.ts";
import type { Rendering } from "./scope.ts";
import { locatedProblem } from "./snippet.ts";
import type { Template } from "./template.ts";

export class EndlessMacro extends Error {
    constructor(file: string) {
        super(`${file} calls itself without an end`);
    }
}

/** What Handlebars throws while it renders: a value that is not there, or not of its kind. */
export function describeRenderError(
    error: Error & { readonly lineNumber?: number; readonly column?: number },
    { stack }: Rendering,
    templates: ReadonlyMap<string, Template>,
): Problem {
    if (error instanceof EndlessMacro) return { file: stack[0]!, message: error.message };
    const file = stack.at(-1)!;
    const template = templates.get(file);
    const name = missingName(error.message);
    const path = name !== undefined && template ? findPath(template.syntax, name) : undefined;
    const caller = stack.length > 1 ? `, called from ${stack.slice(0, -1).reverse().join(", from ")}` : "";
    const message = `${describe(error.message, name, path, stack.length > 1)}${caller}`;
    const start = path?.loc.start;
    const line = error.lineNumber ?? start?.line;
    const column = error.lineNumber === undefined ? start?.column : error.column;
    if (line === undefined) return { file, message };
    return locatedProblem({ file, line, column: (column ?? 0) + 1 }, template?.text ?? "", message);
}

function describe(
    message: string,
    name: string | undefined,
    path: hbs.AST.PathExpression | undefined,
    isMacro: boolean,
): string {
    const partial = /^The partial (\S+) could not be found/.exec(message);
    if (partial) return `there is no macro ${partial[1]}`;
    if (name === undefined) return message.replace(/ - \d+:\d+$/, "");
    if (path?.data) return `there is no @${name} here: it exists inside of {{#each}}`;
    return `there is no ${name} here${isMacro ? `: pass it, {{> name ${name}=...}}` : ""}`;
}

/** Handlebars' own message in strict mode, and JavaScript's when a value without fields is asked for one. */
function missingName(message: string): string | undefined {
    const match =
        /^"(.+)" not defined in /.exec(message) ??
        /^Cannot use 'in' operator to search for '(.+)' in /.exec(message) ??
        /^Cannot read properties of (?:undefined|null) \(reading '(.+)'\)$/.exec(message);
    return match?.[1];
}

/** The first path of a template that asks for a name: where the error is, or is like. */
function findPath(node: hbs.AST.Node, name: string): hbs.AST.PathExpression | undefined {
    if (node.type === "PathExpression" && (node as hbs.AST.PathExpression).parts.includes(name)) {
        return node as hbs.AST.PathExpression;
    }
    for (const [key, child] of Object.entries(node)) {
        if (key === "loc") continue;
        for (const one of Array.isArray(child) ? child : [child]) {
            if (typeof one !== "object" || one === null || !("type" in one)) continue;
            const found = findPath(one as hbs.AST.Node, name);
            if (found) return found;
        }
    }
    return undefined;
}
