import type { Position } from "../errors.ts";
import type { KnownNames } from "./scope.ts";
import { findVar, nearest, refProblem, sourceProblem } from "./unknown-name.ts";

type Node = hbs.AST.Node & Record<string, unknown>;
type Report = (position: Position, message: string) => void;

interface Walk {
    readonly file: string;
    readonly known: KnownNames;
    readonly helpers: ReadonlySet<string>;
    /** Names of `{{#*inline "x"}}` in this file. */
    readonly inline: ReadonlySet<string>;
    readonly macroArguments: MacroArguments;
    readonly report: Report;
}

/** Names that a macro uses, or `undefined` when its text cannot tell. */
export type MacroArguments = (macro: string) => ReadonlySet<string> | undefined;

/** What can be said of names without rendering, in branches too that this run does not take. */
export function checkTemplate(
    file: string,
    syntax: hbs.AST.Program,
    kind: "model" | "macro",
    known: KnownNames,
    helpers: ReadonlySet<string>,
    macroArguments: MacroArguments,
    report: Report,
): void {
    const inline = new Set<string>();
    collectInline(syntax as unknown as Node, inline);
    walk(
        syntax as unknown as Node,
        { file, known, helpers, inline, macroArguments, report },
        kind === "model",
        new Set(),
    );
}

/**
 * `atRoot`: the context is the file's own, which has no fields, so that a bare name can only be a helper.
 * `locals`: names of `as |item index|` around here.
 */
function walk(node: Node, state: Walk, atRoot: boolean, locals: ReadonlySet<string>): void {
    switch (node.type) {
        case "MustacheStatement":
        case "SubExpression":
        case "BlockStatement":
            checkCall(node, state, atRoot, locals);
            break;
        case "PartialStatement":
        case "PartialBlockStatement":
            checkPartial(node, state);
            break;
        case "PathExpression":
            if (atRoot) checkPath(node as unknown as hbs.AST.PathExpression, state, locals);
            break;
    }
    const isBlock = node.type === "BlockStatement";
    const isCall = isBlock || node.type === "MustacheStatement" || node.type === "SubExpression";
    for (const [key, child] of Object.entries(node)) {
        if (key === "loc" || (key === "path" && isCall)) continue;
        // The name of a macro is not a name of the context.
        if (key === "name" && node.type.startsWith("Partial") && (child as Node).type === "PathExpression")
            continue;
        const changesContext =
            key === "program" && (isBlock ? ["each", "with"].includes(nameOf(node)) : false);
        const program = key === "program" ? (child as hbs.AST.Program) : undefined;
        const inner = program?.blockParams?.length ? new Set([...locals, ...program.blockParams]) : locals;
        for (const one of Array.isArray(child) ? child : [child]) {
            if (typeof one === "object" && one !== null && "type" in one) {
                walk(one as Node, state, atRoot && !changesContext && node.type !== "DecoratorBlock", inner);
            }
        }
    }
}

function checkCall(node: Node, state: Walk, atRoot: boolean, locals: ReadonlySet<string>): void {
    const path = node.path as hbs.AST.PathExpression;
    if (path.type !== "PathExpression" || path.data) return;
    const name = path.original;
    const params = (node.params as readonly hbs.AST.Expression[] | undefined) ?? [];
    const isCall = params.length > 0 || node.hash !== undefined || node.type !== "MustacheStatement";
    if (state.helpers.has(name)) {
        checkNamed(node, name, params, state);
        return;
    }
    // `{{/if}}` closes what the parser checked; `{{name}}` alone may be a field of the context.
    if (isCall) report(state, node, `there is no helper ${name}; ${nearest(name, state.helpers)}`);
    else if (atRoot) checkPath(path, state, locals);
}

/** `{{ref "typo"}}` in a branch that is not taken is still a typo. */
function checkNamed(node: Node, name: string, params: readonly hbs.AST.Expression[], state: Walk): void {
    if (["if", "unless", "with"].includes(name) && params.length !== 1) {
        report(
            state,
            node,
            `${name} takes one value: {{#${name} value}}; a comparison goes in brackets: {{#${name} (eq a b)}}`,
        );
    }
    const [first] = params;
    if (first?.type !== "StringLiteral") return;
    const { value } = first as hbs.AST.StringLiteral;
    let problem: string | undefined;
    if (name === "ref") problem = refProblem(value, state.known);
    if (name === "source") problem = sourceProblem(value, state.known);
    if (name === "var" && params.length === 1) {
        const found = findVar(value, state.known);
        if ("problem" in found) problem = found.problem;
    }
    if (problem !== undefined) report(state, node, problem);
}

function checkPartial(node: Node, state: Walk): void {
    const name = node.name as hbs.AST.PathExpression;
    if (name.type !== "PathExpression" || name.data) return;
    const { original } = name;
    if (state.inline.has(original)) return;
    if (!state.known.partials.has(original)) {
        report(
            state,
            node,
            `there is no macro macros/${original}.hbs; ${nearest(original, state.known.partials)}`,
        );
        return;
    }
    const taken = state.macroArguments(original);
    for (const { key } of (node.hash as hbs.AST.Hash | undefined)?.pairs ?? []) {
        if (taken === undefined || taken.has(key)) continue;
        report(
            state,
            node,
            `macros/${original}.hbs does not use ${key}; ${nearest(
                key,
                [...taken].filter((one) => !state.helpers.has(one)),
            )}`,
        );
    }
}

function checkPath(path: hbs.AST.PathExpression, state: Walk, locals: ReadonlySet<string>): void {
    const [first] = path.parts;
    if (
        path.data ||
        first === undefined ||
        path.depth > 0 ||
        locals.has(first) ||
        state.helpers.has(path.original)
    )
        return;
    const names = [...state.helpers, ...locals];
    const hint = Object.hasOwn(state.known.vars, first)
        ? `a variable is {{var "${first}"}}`
        : state.known.relations.has(first)
          ? `a model is {{ref "${first}"}}`
          : nearest(first, names);
    report(state, path as unknown as Node, `there is no ${path.original} here; ${hint}`);
}

function collectInline(node: Node, found: Set<string>): void {
    if (node.type === "DecoratorBlock" && (node.path as hbs.AST.PathExpression).original === "inline") {
        const [name] = node.params as readonly hbs.AST.Expression[];
        if (name?.type === "StringLiteral") found.add((name as hbs.AST.StringLiteral).value);
    }
    for (const [key, child] of Object.entries(node)) {
        if (key === "loc") continue;
        for (const one of Array.isArray(child) ? child : [child]) {
            if (typeof one === "object" && one !== null && "type" in one) collectInline(one as Node, found);
        }
    }
}

function nameOf(node: Node): string {
    return (node.path as hbs.AST.PathExpression).original;
}

function report(state: Walk, node: Node, message: string): void {
    const { line, column } = node.loc.start;
    state.report({ file: state.file, line, column: column + 1 }, message);
}
