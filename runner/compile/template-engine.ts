import Handlebars from "handlebars";
import type { Problem } from "../errors.ts";
import type { MacroFile, Project } from "../project/project.ts";
import { checkTemplate } from "./check-template.ts";
import { createHelpers, type Helper, strictEach } from "./helpers.ts";
import { macroArguments } from "./macro-arguments.ts";
import { nameMark } from "./markers.ts";
import { describeRenderError, EndlessMacro } from "./render-error.ts";
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

interface RenderedTemplate {
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
    const templates = new Map<string, Template>();
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

    const parse = (file: string, text: string) => {
        files.push(file);
        const parsed = parseTemplate(file, text, files.length - 1);
        if ("template" in parsed) templates.set(file, parsed.template);
        return parsed;
    };
    const argumentsOf = new Map<string, ReadonlySet<string> | undefined>();
    const check = ({ file, text, syntax }: Template, kind: "model" | "macro") => {
        const found: Problem[] = [];
        checkTemplate(
            file,
            syntax,
            kind,
            known,
            helperNames,
            (macro) => argumentsOf.get(macro),
            (position, message) => {
                found.push(locatedProblem(position, text, message));
            },
        );
        return found;
    };

    const problems: Problem[] = [];
    for (const { name, file, text } of partials) {
        const parsed = parse(file, text);
        if ("problem" in parsed) {
            problems.push(parsed.problem);
            continue;
        }
        argumentsOf.set(name, macroArguments(parsed.template.syntax));
        const compiled = engine.compile(parsed.template.marked, compileOptions);
        engine.registerPartial(name, (context: unknown, options?: Handlebars.RuntimeOptions) => {
            rendering.stack.push(file);
            if (rendering.stack.length > deepestMacro) throw new EndlessMacro(file);
            const output = compiled(context, options).replace(/\n+$/, "");
            rendering.stack.pop();
            return output;
        });
    }
    // Once all are known, since macros call each other.
    for (const { file } of partials) {
        const template = templates.get(file);
        if (template) problems.push(...check(template, "macro"));
    }
    return {
        files,
        problems,
        parse,
        render: (template) => {
            rendering = newRendering(template.file);
            const found: Problem[] = check(template, "model");
            let output = "";
            try {
                output = engine.compile(template.marked, compileOptions)(rootContext);
            } catch (error) {
                // What the checks found before fails here again, less clearly.
                if (found.length === 0 && problems.length === 0) {
                    found.push(describeRenderError(error as Error, rendering, templates));
                }
            }
            // Nor does a line need two: a name that is not there also makes a helper complain of its value.
            const lines = new Set(found.map(({ file, line }) => `${file}:${line}`));
            for (const { position, message } of rendering.problems) {
                if (lines.has(`${position.file}:${position.line}`)) continue;
                const via = position.file === template.file ? "" : `, in ${template.file}`;
                found.push(locatedProblem(position, templates.get(position.file)?.text ?? "", message + via));
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
