import type { Position, Problem } from "../errors.ts";
import { overlayConfig } from "../project/model-config.ts";
import { inlineConfigSchema } from "../project/model-schema.ts";
import type { ModelConfig, ModelFile, Project } from "../project/project.ts";
import { inlineConfig } from "./inline-config.ts";
import { withoutMarks } from "./markers.ts";
import { locatedProblem } from "./snippet.ts";
import { leadingComment } from "./template.ts";
import type { TemplateEngine } from "./template-engine.ts";
import { nearest } from "./unknown-name.ts";

/** A model after rendering: what it reads and how it is configured is known, names of relations are not. */
export interface ModelDraft {
    readonly name: string;
    readonly file: string;
    readonly language: "sql" | "typescript";
    readonly config: ModelConfig;
    readonly text: string;
    /** With marks; empty for TypeScript. */
    readonly output: string;
    readonly refs: ReadonlyMap<string, Position>;
    readonly sources: ReadonlyMap<string, Position>;
}

/** Every model, disabled ones too; the problems of disabled ones do not count. A step is a model. */
export function* draftModels(
    project: Project,
    engine: TemplateEngine,
    problems: Problem[],
): Generator<void, ReadonlyMap<string, ModelDraft>> {
    const relations = new Set([...project.models, ...project.seeds].map(({ name }) => name));
    const drafts = new Map<string, ModelDraft>();
    for (const model of project.models) {
        const found: Problem[] = [];
        const draft =
            model.language === "typescript"
                ? draftTypeScript(model, relations, found)
                : draftSql(model, engine, found);
        if (draft) drafts.set(model.name, draft);
        if (draft?.config.enabled ?? model.config.enabled) problems.push(...found);
        yield;
    }
    return drafts;
}

function draftSql(model: ModelFile, engine: TemplateEngine, problems: Problem[]): ModelDraft | undefined {
    const parsed = engine.parse(model.file, model.text);
    if ("problem" in parsed) {
        problems.push(parsed.problem);
        return undefined;
    }
    const { output, rendering, problems: found } = engine.render(parsed.template);
    problems.push(...found);
    const inline = inlineConfig(rendering.configs, inlineConfigSchema, model, problems);
    const config = overlayConfig(model.config, inline);
    const description = config.description || leadingComment(parsed.template.syntax);
    if (problems.length + engine.problems.length === 0 && withoutMarks(output).trim() === "") {
        problems.push({ file: model.file, message: "renders to nothing: a model is one SELECT" });
    }
    return {
        name: model.name,
        file: model.file,
        language: "sql",
        config: { ...config, description },
        text: model.text,
        output,
        refs: rendering.refs,
        sources: rendering.sources,
    };
}

function draftTypeScript(model: ModelFile, relations: ReadonlySet<string>, problems: Problem[]): ModelDraft {
    const refs = new Map<string, Position>();
    for (const name of model.refs ?? []) {
        const position = { file: model.file, ...findLiteral(model.text, name) };
        refs.set(name, position);
        if (!relations.has(name)) {
            problems.push(
                locatedProblem(
                    position,
                    model.text,
                    `refs: there is no model or seed ${name}; ${nearest(name, relations)}`,
                ),
            );
        }
    }
    return { ...model, output: "", refs, sources: new Map() };
}

/** Where a TypeScript model names a ref, as far as its text shows. */
function findLiteral(text: string, name: string): Omit<Position, "file"> {
    const at = text.search(new RegExp(`["'\`]${name.replace(/\W/g, "\\$&")}["'\`]`));
    if (at < 0) return {};
    const before = text.slice(0, at).split("\n");
    return { line: before.length, column: before.at(-1)!.length + 1 };
}
