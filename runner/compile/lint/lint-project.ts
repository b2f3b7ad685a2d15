import type { Position } from "../../errors.ts";
import type { LintLevel, LintRule } from "../../project/lint-rules.ts";
import type { Project } from "../../project/project.ts";
import type { CompiledModel, CompiledNode, CompiledProject } from "../compiled.ts";
import { graphOf, reach } from "../graph.ts";
import { showLine } from "../snippet.ts";
import { declaredKeys } from "./declared-keys.ts";
import { lintMacro } from "./lint-macro.ts";
import { type LintedModel, lintModel, type ModelFinding, type Said } from "./lint-model.ts";
import { lintScript } from "./lint-script.ts";

/** A form of SQL that may leak, in a model that promises `as_of` or in one that it reads. */
export interface LintFinding extends Position {
    readonly rule: LintRule;
    readonly level: Exclude<LintLevel, "off">;
    readonly message: string;
    /** The models in which it is found: several for a macro's. */
    readonly models: readonly string[];
    /** The line with a caret. */
    readonly snippet?: string;
    /** Why it is no leak here, where somebody said so. */
    readonly accepted?: string;
}

/**
 * Looks for forms that leak in every model with `as_of` and, as far as choices among rows, clock and chance go,
 * in the models that those read. Pure: compiled SQL is read as text, so what it says is a hint and no proof.
 */
export function lintProject(project: Project, compiled: CompiledProject): readonly LintFinding[] {
    const texts = new Map([...project.models, ...project.macros].map(({ file, text }) => [file, text]));
    const keys = new Map(declaredKeys(project, compiled));
    const models = compiled.order.map((name) => compiled.nodes.get(name)!).filter(isModel);
    const dated = models.filter(({ config }) => config.asOf !== undefined).map(({ name }) => name);
    const read = reach(dated, graphOf(compiled).parents);
    const linted: LintedModel[] = [];
    for (const model of models) {
        if (model.language === "typescript") {
            linted.push(lintScript(model, texts, dated.includes(model.name) || read.has(model.name)));
            continue;
        }
        const isDated = model.config.asOf !== undefined;
        const extent = isDated ? "all" : read.has(model.name) ? "choices" : "none";
        const result = lintModel(model, { keys, texts }, extent);
        keys.set(`main.${model.name}`, [...(keys.get(`main.${model.name}`) ?? []), ...result.keys]);
        linted.push(result);
    }
    if (dated.length > 0) linted.push(...compiled.macros.map((macro) => lintMacro(macro, texts)));
    const found = linted.flatMap(({ findings }) => findings);
    const stale = unusedAcceptances(linted.flatMap(({ said }) => said));
    return mergeModels([...found, ...stale])
        .flatMap((finding): readonly LintFinding[] => {
            const level = project.lint[finding.rule] ?? "warn";
            if (level === "off") return [];
            const snippet = showLine(texts.get(finding.file) ?? "", finding.line, finding.column);
            return [{ ...finding, level, ...(finding.line !== undefined && snippet && { snippet }) }];
        })
        .sort(byPlace);
}

function isModel(node: CompiledNode): node is CompiledModel {
    return node.kind === "model";
}

/** A macro's acceptance is used when one of its readers uses it. */
function unusedAcceptances(said: readonly Said[]): readonly ModelFinding[] {
    const used = new Set(said.filter(({ isUsed }) => isUsed).map(placeOf));
    return said
        .filter((one) => !used.has(placeOf(one)))
        .map(({ isUsed: _, rule, ...place }) => ({
            ...place,
            rule: "acceptance",
            message: `${rule} is accepted here, and there is nothing of it any more: take the acceptance out`,
        }));
}

function mergeModels(findings: readonly ModelFinding[]) {
    const merged = new Map<string, Omit<ModelFinding, "model"> & { models: readonly string[] }>();
    for (const { model, ...finding } of findings) {
        const key = `${placeOf(finding)} ${finding.message}`;
        const models = merged.get(key)?.models ?? [];
        merged.set(key, { ...finding, models: models.includes(model) ? models : [...models, model] });
    }
    return [...merged.values()];
}

function placeOf({ rule, file, line, column }: Position & { readonly rule: LintRule }): string {
    return [file, line, column, rule].join(":");
}

function byPlace(one: Position, other: Position): number {
    return (
        one.file.localeCompare(other.file) ||
        (one.line ?? 0) - (other.line ?? 0) ||
        (one.column ?? 0) - (other.column ?? 0)
    );
}
