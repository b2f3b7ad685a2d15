import { compileProject } from "../../runner/compile/compile-project.ts";
import type { CompiledModel, CompiledNode, CompiledProject } from "../../runner/compile/compiled.ts";
import { graphOf, reach } from "../../runner/compile/graph.ts";
import type { ModelFile, Project } from "../../runner/project/project.ts";
import type { Variant } from "./mutant.ts";
import { changedModules, type ScriptFolder } from "./script-folder.ts";

export interface CombinedVariants {
    /** The project with every variant's models beside its own, under names of their own. */
    readonly compiled: CompiledProject;
    /** By the variant's name: the model in which it is looked for. */
    readonly seenIn: ReadonlyMap<string, string>;
    /** The same model as it is in the project. */
    readonly originals: ReadonlyMap<string, string>;
}

/**
 * Many variants in one project, so that one build and one replay serve all of them: of each, the models that are
 * changed and those between them and the model in which the change is looked for stand beside the originals.
 */
export async function combineVariants(
    project: Project,
    variants: readonly Variant[],
    scripts: ScriptFolder,
): Promise<CombinedVariants> {
    const compiled = compileProject(project);
    const nodes = new Map<string, CompiledNode>(compiled.nodes);
    const order = [...compiled.order];
    const seenIn = new Map<string, string>();
    const originals = new Map<string, string>();
    for (const variant of variants) {
        if (seenIn.has(variant.name)) throw new Error(`two variants are called ${variant.name}`);
        const { clones, target } = await cloneModels(project, compiled, variant, scripts);
        for (const clone of clones) {
            nodes.set(clone.name, clone);
            order.push(clone.name);
        }
        seenIn.set(variant.name, cloneName(target, variant));
        originals.set(variant.name, target);
    }
    return { compiled: { ...compiled, nodes, order }, seenIn, originals };
}

function cloneName(model: string, { name }: Variant): string {
    return `${model}__${name}`;
}

/** In dependency order; `target` is where the change is looked for. */
async function cloneModels(
    project: Project,
    compiled: CompiledProject,
    variant: Variant,
    scripts: ScriptFolder,
): Promise<{ readonly clones: readonly CompiledModel[]; readonly target: string }> {
    const changed = changeText(project, variant);
    const mutated = compileProject(changed);
    const modules = await changedModules(project, variant, scripts);
    const differing = compiled.order.filter((name) => {
        const [one, other] = [compiled.nodes.get(name), mutated.nodes.get(name)];
        if (one?.kind !== "model" || other?.kind !== "model") return false;
        return one.sql !== other.sql || modules.has(name);
    });
    const target = variant.seenIn ?? differing[0];
    if (differing.length === 0 || target === undefined) throw new Error(`${variant.name} changes no model`);
    const graph = graphOf(mutated);
    const below = new Set([...differing, ...reach(differing, graph.children)]);
    const above = new Set([target, ...reach([target], graph.parents)]);
    const path = compiled.order.filter((name) => below.has(name) && above.has(name));
    const last = mutated.nodes.get(target);
    if (!path.includes(target) || last?.kind !== "model" || last.config.asOf === undefined) {
        throw new Error(`${variant.name}: ${target} is no model with as_of that is made from ${differing}`);
    }
    const renamed = new Map(path.map((name) => [name, cloneName(name, variant)]));
    const clones = await Promise.all(
        path.map(async (name) => {
            const model = mutated.nodes.get(name) as CompiledModel;
            const { movesFrom: _, ...config } = model.config;
            const clone = {
                ...model,
                config: { ...config, tests: [] },
                name: renamed.get(name)!,
                refs: model.refs.map((ref) => renamed.get(ref) ?? ref),
                sql: model.sql.replace(/\bmain\.(\w+)/g, (found, ref) =>
                    renamed.has(ref) ? `main.${renamed.get(ref)}` : found,
                ),
            };
            if (model.language === "sql") return clone;
            return {
                ...clone,
                file: await scripts.wrap(clone.name, modules.get(name) ?? model.file, renamed),
            };
        }),
    );
    return { clones, target };
}

/** The project with the variant's texts replaced. */
export function changeText(project: Project, { name, file, replace }: Variant): Project {
    const apply = <File extends { readonly file: string; readonly text: string }>(one: File): File => {
        if (one.file !== file) return one;
        return { ...one, text: replaceAll(one.text, replace, `${name}: ${file}`) };
    };
    const models: readonly ModelFile[] = project.models.map(apply);
    return { ...project, models, macros: project.macros.map(apply) };
}

/** A text that is not there any more is no mutant: it would prove nothing. */
export function replaceAll(text: string, replace: Variant["replace"], where: string): string {
    let changed = text;
    for (const [from, to] of replace) {
        if (!changed.includes(from)) throw new Error(`${where} holds no longer: ${from}`);
        changed = changed.replaceAll(from, to);
    }
    return changed;
}
