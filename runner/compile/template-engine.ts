import Handlebars from "handlebars";
import type { Problem } from "../errors.ts";
import type { MacroFile, Project } from "../project/project.ts";
import { checkTemplate } from "./check-template.ts";
import { createHelpers, type Helper, strictEach } from "./helpers.ts";
import { nameMark } from "./markers.ts";
import { type KnownNames, newRendering, type Rendering } from "./scope.ts";
import { locatedProblem } from "./snippet.ts";
import { parseTemplate, type Template } from "./template.ts";

/** Renders the templates of one project; pure, since everything a helper sees is in the project. */
export interface TemplateEngine {
    /** Files by the index in the marks. */
    readonly files: readonly string[];
    /** Problems of the macros themselves. */
    readonly problems: readonly Problem[];
    parse(file: string, text: string): { readonly template: Template } | { readonly problem: Problem };
    /** Output with marks, what it read, and what was wrong. */
    render(template: Template): RenderedTemplate;
}

export interface RenderedTemplate {
    readonly output: string;
    readonly rendering: Rendering;
    readonly problems: Problem[];
}

const compileOptions = { strict: true, noEscape: true, explicitPartialContext: true };
/** Deeper than any project nests macros. */
const deepestMacro = 50;

export function createTemplateEngine(project: Project): TemplateEngine {
    const engine = Handlebars.create();
    const files: string[] = [];
    const texts = new Map<string, string>();
    let rendering = newRendering("");
    const current = () => rendering;
    const partials = project.macros.filter(({ kind }) => kind === "partial");
    const known = knownNames(project, partials);
    const each = engine.helpers.each as unknown as Helper;
    const helpers: Record<string, Helper> = {
        ...createHelpers(known, current),
        each: strictEach(each, current),
    };
    // `log` prints.
    engine.unregisterHelper("log");
    for (const [name, helper] of Object.entries(helpers))
        engine.registerHelper(name, helper as Handlebars.HelperDelegate);
    const helperNames = new Set([...Object.keys(helpers), "if", "unless", "with", "lookup"]);

    const parse = (file: string, text: string, kind: "model" | "macro") => {
        files.push(file);
        texts.set(file, text);
        const parsed = parseTemplate(file, text, files.length - 1);
        if ("problem" in parsed) return { problems: [parsed.problem] };
        const found: Problem[] = [];
        checkTemplate(file, parsed.template.syntax, kind, known, helperNames, (position, message) => {
            found.push(locatedProblem(position, text, message));
        });
        return { template: parsed.template, problems: found };
    };

    const problems: Problem[] = [];
    for (const macro of partials) {
        const parsed = parse(macro.file, macro.text, "macro");
        problems.push(...parsed.problems);
        if (!parsed.template) continue;
        const compiled = engine.compile(parsed.template.marked, compileOptions);
        engine.registerPartial(macro.name, (context: unknown, options?: Handlebars.RuntimeOptions) => {
            rendering.stack.push(macro.file);
            if (rendering.stack.length > deepestMacro) throw new EndlessMacro(macro.file);
            const output = compiled(context, options).replace(/\n+$/, "");
            rendering.stack.pop();
            return output;
        });
    }
    const staticProblems = new Map<string, readonly Problem[]>();
    return {
        files,
        problems,
        parse: (file, text) => {
            const { template, problems: found } = parse(file, text, "model");
            if (!template) return { problem: found[0]! };
            staticProblems.set(file, found);
            return { template };
        },
        render: (template) => {
            rendering = newRendering(template.file);
            const found: Problem[] = [...(staticProblems.get(template.file) ?? [])];
            let output = "";
            try {
                output = engine.compile(template.marked, compileOptions)(rootContext);
            } catch (error) {
                // What the checks found before fails here again, less clearly.
                if (found.length === 0 && problems.length === 0) {
                    found.push(describeRenderError(error as Error, rendering, texts));
                }
            }
            // Nor does a line need two: a name that is not there also makes a helper complain of its value.
            const lines = new Set(found.map(({ file, line }) => `${file}:${line}`));
            for (const { position, message } of rendering.problems) {
                if (lines.has(`${position.file}:${position.line}`)) continue;
                const via = position.file === template.file ? "" : `, in ${template.file}`;
                found.push(locatedProblem(position, texts.get(position.file) ?? "", message + via));
            }
            return { output, rendering, problems: found };
        },
    };
}

/** `{{this}}` outside of a block is the relation that the model becomes. It has no fields. */
const rootContext = { toString: () => nameMark("this", "") };

function knownNames(project: Project, partials: readonly MacroFile[]): KnownNames {
    return {
        relations: new Set([...project.models, ...project.seeds].map(({ name }) => name)),
        assertions: new Set(project.assertions.map(({ name }) => name)),
        sources: new Set(project.sources.map(({ name }) => name)),
        vars: project.vars,
        partials: new Set(partials.map(({ name }) => name)),
        env: project.env,
    };
}

class EndlessMacro extends Error {
    readonly file: string;
    constructor(file: string) {
        super(`${file} calls itself without an end`);
        this.file = file;
    }
}

function describeRenderError(
    error: Error & { readonly lineNumber?: number; readonly column?: number },
    { stack }: Rendering,
    texts: ReadonlyMap<string, string>,
): Problem {
    const file = stack.at(-1)!;
    const caller = stack.length > 1 ? `, called from ${stack.slice(0, -1).reverse().join(", from ")}` : "";
    if (error instanceof EndlessMacro) return { file: stack[0]!, message: error.message };
    const missing = /^"(.+)" not defined in /.exec(error.message);
    // Whatever else Handlebars throws while it renders is about a value that is not there or not of its kind.
    const reason = missing ? `there is no ${missing[1]} here` : error.message.replace(/ - \d+:\d+$/, "");
    const hint = missing && stack.length > 1 ? `: pass it, {{> name ${missing[1]}=...}}` : "";
    const message = `${reason}${hint}${caller}`;
    if (error.lineNumber === undefined) return { file, message };
    const position = { file, line: error.lineNumber, column: (error.column ?? 0) + 1 };
    return locatedProblem(position, texts.get(file) ?? "", message);
}
