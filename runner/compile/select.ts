import picomatch from "picomatch";
import { GraphError } from "../errors.ts";
import { nearestNames } from "../names.ts";
import type { CompiledNode, CompiledProject } from "./compiled.ts";
import { type Graph, graphOf, reach, sourceKey } from "./graph.ts";

export interface Selection {
    /** Each may hold several terms: a space is a union, a comma an intersection. Absent or empty: everything. */
    readonly select?: readonly string[] | undefined;
    readonly exclude?: readonly string[] | undefined;
}

/**
 * Names of the models and seeds that a selection means, and of assertions that it names. Throws a
 * GraphError for a term that matches nothing: a misspelt selector must not build everything, or nothing.
 */
export function selectNodes(
    compiled: CompiledProject,
    { select = [], exclude = [] }: Selection,
): ReadonlySet<string> {
    const graph = graphOf(compiled);
    const terms = splitTerms(select);
    const chosen =
        terms.length === 0
            ? new Set(compiled.order)
            : union(terms.map((term) => readTerm(term, compiled, graph)));
    const left = union(splitTerms(exclude).map((term) => readTerm(term, compiled, graph)));
    const nodes = [...chosen].filter((key) => compiled.nodes.has(key));
    if (nodes.length === 0 && terms.length > 0) {
        throw new GraphError([
            {
                message: `--select ${terms.join(" ")} names sources only: write ${terms.join(" ")}+ for what is made from them`,
            },
        ]);
    }
    return new Set(nodes.filter((name) => !left.has(name)));
}

function splitTerms(texts: readonly string[]): readonly string[] {
    return texts.flatMap((text) => text.split(/\s+/)).filter((term) => term !== "");
}

function readTerm(term: string, compiled: CompiledProject, graph: Graph): ReadonlySet<string> {
    const parts = term.split(",").filter((part) => part !== "");
    if (parts.length === 0) throw nothing(term, "is empty");
    const sets = parts.map((part) => readAtom(part, compiled, graph));
    const common = [...sets[0]!].filter((name) => sets.every((set) => set.has(name)));
    if (common.length === 0)
        throw nothing(term, `has no node in common: ${parts.join(" and ")} each match, but not the same`);
    return new Set(common);
}

/** `@name`, `2+name+3`: a method's matches, and what is above and below them. */
function readAtom(atom: string, compiled: CompiledProject, graph: Graph): ReadonlySet<string> {
    const match = /^(@)?(?:(\d*)(\+))?([^+@]+?)(?:(\+)(\d*))?$/.exec(atom);
    if (!match || (match[1] && (match[3] || match[5]))) {
        throw nothing(
            atom,
            "is not a selector; write name, +name, name+, 2+name+3, @name, tag:x, path:x, source:x or type:x",
        );
    }
    const [, at, above, hasAbove, body, hasBelow, below] = match;
    const matched = matchMethod(body!, compiled, graph);
    if (at) {
        const down = union([matched, reach(matched, graph.children)]);
        return union([down, reach(down, graph.parents)]);
    }
    const sets = [matched];
    if (hasAbove) sets.push(reach(matched, graph.parents, above ? Number(above) : undefined));
    if (hasBelow) sets.push(reach(matched, graph.children, below ? Number(below) : undefined));
    return union(sets);
}

function matchMethod(body: string, compiled: CompiledProject, graph: Graph): ReadonlySet<string> {
    const colon = body.indexOf(":");
    const method = colon < 0 ? (/[/.]/.test(body) ? "path" : "name") : body.slice(0, colon);
    const value = body.slice(colon + 1);
    const nodes = [...compiled.nodes.values()];
    switch (method) {
        case "name":
            return keep(body, value, nodes.map(nameOf), namePattern(value), "name");
        case "tag": {
            const matches = namePattern(value);
            const found = nodes.filter((node) => tagsOf(node).some(matches)).map(nameOf);
            return found.length > 0 ? new Set(found) : fail(body, value, nodes.flatMap(tagsOf), "tag");
        }
        case "path": {
            const matches = pathPattern(value);
            const found = nodes.filter(({ file }) => matches(file)).map(nameOf);
            return found.length > 0
                ? new Set(found)
                : fail(
                      body,
                      value,
                      nodes.flatMap(({ file }) => (value.includes(".") ? [file] : foldersOf(file))),
                      "path",
                  );
        }
        case "source": {
            const sources = [...graph.children.keys()].filter((key) => key.startsWith(sourceKey("")));
            const matches = namePattern(value);
            const found = sources.filter((key) => matches(key.slice(sourceKey("").length)));
            return found.length > 0
                ? new Set(found)
                : fail(
                      body,
                      value,
                      sources.map((key) => key.slice(sourceKey("").length)),
                      "source that a model reads",
                  );
        }
        case "type":
        case "resource_type":
            return keep(
                body,
                value,
                nodes.filter(({ kind }) => kind === value).map(nameOf),
                () => true,
                "type",
                ["model", "seed", "assertion"],
            );
        default:
            throw nothing(
                body,
                `has the unknown method ${method}; methods are name, tag, path, source, type`,
            );
    }
}

function keep(
    atom: string,
    value: string,
    names: readonly string[],
    matches: (name: string) => boolean,
    what: string,
    known: readonly string[] = names,
): ReadonlySet<string> {
    const found = names.filter(matches);
    return found.length > 0 ? new Set(found) : fail(atom, value, known, what);
}

function fail(atom: string, value: string, known: readonly string[], what: string): never {
    const names = [...new Set(known)].sort();
    const close = nearestNames(value, names);
    const shown = names.slice(0, 12).join(", ");
    const listed =
        names.length === 0
            ? "there are none"
            : `there are ${shown}${names.length > 12 ? ` and ${names.length - 12} more` : ""}`;
    throw nothing(
        atom,
        `matches no ${what}; ${close.length > 0 ? `did you mean ${close.join(" or ")}?` : listed}`,
    );
}

function nothing(term: string, why: string): GraphError {
    return new GraphError([{ message: `the selector ${term} ${why}` }]);
}

function namePattern(value: string): (name: string) => boolean {
    return /[*?[]/.test(value) ? globOf(value) : (name) => name === value;
}

/** picomatch takes more arguments, which `filter` and `some` would fill with an index. */
function globOf(pattern: string): (text: string) => boolean {
    const matches = picomatch(pattern);
    return (text) => matches(text);
}

/** A file, a folder, or a glob over files. */
function pathPattern(value: string): (file: string) => boolean {
    const path = value.replace(/^\.\//, "").replace(/\/+$/, "");
    if (/[*?[]/.test(path)) return globOf(path);
    return (file) => file === path || file.startsWith(`${path}/`);
}

function foldersOf(file: string): readonly string[] {
    const parts = file.split("/");
    return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function nameOf({ name }: CompiledNode): string {
    return name;
}

function tagsOf(node: CompiledNode): readonly string[] {
    return node.kind === "assertion" ? node.tags : node.config.tags;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
    return new Set(sets.flatMap((set) => [...set]));
}
