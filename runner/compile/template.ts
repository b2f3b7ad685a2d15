import Handlebars from "handlebars";
import type { Problem } from "../errors.ts";
import { indentMark, outdentMark, placeMark } from "./markers.ts";
import { locatedProblem } from "./snippet.ts";

/** A file's text as Handlebars sees it, with a mark of its place before every piece of output. */
export interface Template {
    readonly file: string;
    readonly text: string;
    /** Index of the file in the marks. */
    readonly index: number;
    /** As parsed, for checks. */
    readonly syntax: hbs.AST.Program;
    /** With marks, to be rendered. */
    readonly marked: hbs.AST.Program;
}

/** A template, or the problem of its syntax. */
export function parseTemplate(
    file: string,
    text: string,
    index: number,
): { readonly template: Template } | { readonly problem: Problem } {
    try {
        // Parsed twice: marking edits a tree in place.
        const syntax = Handlebars.parse(text, { srcName: file });
        const marked = Handlebars.parse(text, { srcName: file });
        markProgram(marked, index, false);
        return { template: { file, text, index, syntax, marked } };
    } catch (error) {
        return { problem: describeSyntaxError(file, text, error as Error) };
    }
}

/** Handlebars' own typings have `original` wrong. */
interface Content extends hbs.AST.Statement {
    value: string;
    original: string;
    /** White space was taken from its front. */
    rightStripped?: boolean;
}

/** The first comment of a template, which says what the file is; a path in front of it says nothing new. */
export function leadingComment({ body }: hbs.AST.Program): string {
    const first = body.find(
        (statement) => statement.type !== "ContentStatement" || (statement as Content).original.trim() !== "",
    );
    if (first?.type !== "CommentStatement") return "";
    return (first as hbs.AST.CommentStatement).value
        .trim()
        .replace(/\s+/g, " ")
        .replace(/^[\w./-]+\.(sql|hbs): /, "");
}

function markProgram(program: hbs.AST.Program, file: number, isInner: boolean): void {
    const marked: hbs.AST.Statement[] = [];
    program.body.forEach((statement, position) => {
        for (const inner of innerPrograms(statement)) markProgram(inner, file, true);
        if (statement.type === "ContentStatement") {
            const content = statement as Content;
            if (content.value !== "") marked.push(contentMark(content, file));
        } else if (statement.type !== "CommentStatement") {
            const { line, column } = statement.loc.start;
            marked.push(textOf(placeMark("value", file, line, column + 1), statement.loc));
        }
        if (isPartial(statement) && statement.indent !== "") {
            // Handlebars would set the lines in itself, and their columns would be lost.
            const indent = textOf(indentMark(statement.indent), statement.loc);
            statement.indent = "";
            marked.push(indent, statement, textOf(outdentMark, statement.loc));
        } else marked.push(statement);
        // Handlebars eats the line end after a macro that stands alone, and counts on the macro's own;
        // macros are rendered without their last line end, so that they can be used within a line too.
        if (isPartial(statement) && standsAlone(statement, program.body[position + 1], isInner)) {
            marked.push(textOf("\n", statement.loc));
        }
    });
    program.body = marked;
}

function innerPrograms(statement: hbs.AST.Statement): readonly hbs.AST.Program[] {
    const { program, inverse } = statement as Partial<hbs.AST.BlockStatement>;
    return [program, inverse].filter((inner) => inner !== undefined && inner !== null);
}

/** Where a piece of text begins after Handlebars stripped white space from its front. */
function contentMark(content: Content, file: number): hbs.AST.Statement {
    const stripped = content.original.slice(0, Math.max(0, content.original.indexOf(content.value)));
    const lines = stripped.split("\n");
    const { start } = content.loc;
    const last = lines.at(-1)!;
    const column = lines.length === 1 ? start.column + last.length : last.length;
    return textOf(placeMark("text", file, start.line + lines.length - 1, column + 1), content.loc);
}

function isPartial(statement: hbs.AST.Statement): statement is hbs.AST.PartialStatement {
    return statement.type === "PartialStatement";
}

function standsAlone(
    partial: hbs.AST.PartialStatement,
    next: hbs.AST.Statement | undefined,
    isInner: boolean,
): boolean {
    if (partial.strip.close) return false;
    if (next?.type !== "ContentStatement") return next === undefined && !isInner;
    const content = next as Content;
    return content.rightStripped === true && /^[ \t]*\n/.test(content.original);
}

function textOf(value: string, loc: hbs.AST.SourceLocation): Content {
    return { type: "ContentStatement", value, original: value, loc };
}

interface HandlebarsError extends Error {
    readonly lineNumber?: number;
    readonly column?: number;
}

function describeSyntaxError(file: string, text: string, error: HandlebarsError): Problem {
    if (error.lineNumber !== undefined) {
        const message = error.message.replace(/ - \d+:\d+$/, "");
        const mismatch = /^(\S+) doesn't match (\S+)$/.exec(message);
        return locatedProblem(
            { file, line: error.lineNumber, column: (error.column ?? 0) + 1 },
            text,
            mismatch ? `{{#${mismatch[1]}}} is closed by {{/${mismatch[2]}}}` : message,
        );
    }
    const [first = "", shown = "", arrow = "", ...rest] = error.message.split("\n");
    const line = Number(/line (\d+)/.exec(first)?.[1] ?? 1);
    const got = /got '(\w+)'/.exec(rest.join(" "))?.[1];
    const position = findParsePosition(text, shown, arrow.indexOf("^"));
    // The only text that the lexer itself refuses is a comment without an end.
    const comment = text.split("\n")[line - 1]?.lastIndexOf("{{!") ?? -1;
    if (first.startsWith("Lexical") && comment >= 0) {
        const at = { file, line, column: comment + 1 };
        return locatedProblem(at, text, "this comment is not closed: {{!-- ... --}}");
    }
    const what =
        got === "EOF"
            ? "the template ends inside a block or an expression: is a {{/...}} or a }} missing?"
            : `not a template: unexpected ${describeToken(got)}`;
    return locatedProblem({ file, ...(position ?? { line, column: 1 }) }, text, what);
}

/** The parser shows 20 characters before and after its place, without line ends: the place is where they fit. */
function findParsePosition(text: string, shown: string, caret: number) {
    const past = shown.slice(0, caret).replace(/^\.\.\./, "");
    const coming = shown
        .slice(caret)
        .replace(/\.\.\.$/, "")
        .slice(0, 5);
    for (let at = text.length; at >= 0; at--) {
        if (text.slice(Math.max(0, at - 20), at).replaceAll("\n", "") !== past) continue;
        if (
            !text
                .slice(at, at + 20)
                .replaceAll("\n", "")
                .startsWith(coming)
        )
            continue;
        const before = text.slice(0, at).split("\n");
        return { line: before.length, column: before.at(-1)!.length + 1 };
    }
    return undefined;
}

function describeToken(token: string | undefined): string {
    const words: Readonly<Record<string, string>> = {
        CLOSE: "}}",
        OPEN_ENDBLOCK: "{{/...}}: no block is open here",
        INVERSE: "{{else}}: no block is open here",
        CLOSE_SEXPR: ")",
        OPEN_SEXPR: "(",
        INVALID: "character (is a quote or a bracket missing?)",
        EQUALS: "=",
    };
    return token === undefined ? "text" : (words[token] ?? token.toLowerCase());
}
