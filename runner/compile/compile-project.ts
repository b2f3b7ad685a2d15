import { CompileError, GraphError, type Position, type Problem } from "../errors.ts";
import { deepFreeze } from "../project/deep-freeze.ts";
import { assertionConfigSchema } from "../project/model-schema.ts";
import type { Project } from "../project/project.ts";
import { type AssembledSql, assembleSql } from "./assemble.ts";
import { checkGraph } from "./check-graph.ts";
import type {
    CompiledAssertion,
    CompiledMacro,
    CompiledModel,
    CompiledNode,
    CompiledProject,
    CompiledSeed,
} from "./compiled.ts";
import { draftModels, type ModelDraft } from "./draft-models.ts";
import { findCycle, orderNodes } from "./graph.ts";
import { inlineConfig } from "./inline-config.ts";
import { inlineEphemerals, relationName } from "./relations.ts";
import { uniqueProblems } from "./scope.ts";
import { leadingComment } from "./template.ts";
import { createTemplateEngine, type TemplateEngine } from "./template-engine.ts";

/**
 * Templates to SQL, refs to edges. Pure: the same project gives the same result. Throws a CompileError with
 * every problem of every template, or a GraphError when all is well but the order.
 */
export function compileProject(project: Project): CompiledProject {
    const steps = compileInSteps(project);
    for (;;) {
        const step = steps.next();
        if (step.done) return step.value;
    }
}

/** The same, for a caller that does something else between two steps of some milliseconds. */
export function* compileInSteps(project: Project): Generator<void, CompiledProject> {
    const engine = createTemplateEngine(project);
    const problems: Problem[] = [...engine.problems];
    const warnings: string[] = [];
    const drafts = yield* draftModels(project, engine, problems);
    const models = new Map([...drafts].filter(([, { config }]) => config.enabled));
    const seeds = new Map(
        project.seeds
            .filter(({ config }) => config.enabled)
            .map((seed): [string, CompiledSeed] => [
                seed.name,
                { kind: "seed", refs: [], sources: [], ...seed },
            ]),
    );
    const known = { drafts, models, seeds };
    const assertions = yield* draftAssertions(project, engine, known, problems, warnings);
    const macros = compileMacros(project, engine, problems);
    yield;
    checkGraph({ project, drafts, models, seeds, assertions: [...assertions.values()] }, problems);
    if (problems.length > 0) throw new CompileError(uniqueProblems(problems));

    const refs = new Map(
        [...models].map(([name, { refs }]): [string, readonly string[]] => [name, [...refs.keys()]]),
    );
    for (const name of seeds.keys()) refs.set(name, []);
    yield;
    throwOnCycle(refs, models);
    const order = orderNodes(refs);
    const own = new Map([...models].map(([name, draft]) => [name, assembleDraft(draft, engine, models)]));
    const nodes = new Map<string, CompiledNode>();
    for (const name of order) {
        const seed = seeds.get(name);
        nodes.set(name, seed ?? compileModel(models.get(name)!, own, models));
        yield;
    }
    for (const [name, draft] of [...assertions].sort(([one], [other]) => (one < other ? -1 : 1))) {
        nodes.set(name, compileAssertion(name, draft, engine, own, models));
    }
    return Object.freeze({
        nodes,
        order: deepFreeze(order),
        macros: deepFreeze(macros),
        warnings: deepFreeze(warnings),
    });
}

function compileModel(
    draft: ModelDraft,
    own: ReadonlyMap<string, AssembledSql>,
    models: ReadonlyMap<string, ModelDraft>,
): CompiledModel {
    const { sql, lineMap } = inlineEphemerals(draft.name, own, models);
    return deepFreeze({
        kind: "model",
        name: draft.name,
        file: draft.file,
        language: draft.language,
        config: draft.config,
        refs: [...draft.refs.keys()],
        sources: [...draft.sources.keys()],
        sql,
        lineMap,
    });
}

function assembleDraft(
    draft: ModelDraft,
    engine: TemplateEngine,
    models: ReadonlyMap<string, ModelDraft>,
): AssembledSql {
    if (draft.language === "typescript") return { sql: "", lineMap: [] };
    return assembleSql(draft.output, engine.files, (kind, name) =>
        kind === "this"
            ? relationName(draft.name, models, draft.name)
            : relationName(name, models, draft.name),
    );
}

interface AssertionDraft {
    readonly file: string;
    readonly output: string;
    readonly refs: ReadonlyMap<string, Position>;
    readonly sources: ReadonlyMap<string, Position>;
    readonly severity: "error" | "warn";
    readonly description: string;
    readonly tags: readonly string[];
}

function* draftAssertions(
    project: Project,
    engine: TemplateEngine,
    known: {
        readonly drafts: ReadonlyMap<string, ModelDraft>;
        readonly models: ReadonlyMap<string, ModelDraft>;
        readonly seeds: ReadonlyMap<string, CompiledSeed>;
    },
    problems: Problem[],
    warnings: string[],
): Generator<void, ReadonlyMap<string, AssertionDraft>> {
    const assertions = new Map<string, AssertionDraft>();
    for (const { name, file, text } of project.assertions) {
        yield;
        const parsed = engine.parse(file, text);
        if ("problem" in parsed) {
            problems.push(parsed.problem);
            continue;
        }
        const { output, rendering, problems: found } = engine.render(parsed.template);
        const config = inlineConfig(rendering.configs, assertionConfigSchema, { file, text }, found);
        if (config.enabled === false) continue;
        problems.push(...found);
        const disabled = [...rendering.refs.keys()].filter(
            (ref) => !known.models.has(ref) && !known.seeds.has(ref),
        );
        if (disabled.length > 0) {
            warnings.push(`${file} is not run: ${disabled.join(", ")} is disabled`);
            continue;
        }
        assertions.set(name, {
            file,
            output,
            refs: rendering.refs,
            sources: rendering.sources,
            severity: config.severity ?? "error",
            description: config.description ?? leadingComment(parsed.template.syntax),
            tags: config.tags ?? [],
        });
    }
    return assertions;
}

function compileAssertion(
    name: string,
    draft: AssertionDraft,
    engine: TemplateEngine,
    own: ReadonlyMap<string, AssembledSql>,
    models: ReadonlyMap<string, ModelDraft>,
): CompiledAssertion {
    const assembled = assembleSql(draft.output, engine.files, (_, ref) => relationName(ref, models, name));
    const { sql, lineMap } = inlineEphemerals(name, new Map([...own, [name, assembled]]), models, [
        ...draft.refs.keys(),
    ]);
    return deepFreeze({
        kind: "assertion",
        name,
        file: draft.file,
        refs: [...draft.refs.keys()],
        sources: [...draft.sources.keys()],
        severity: draft.severity,
        description: draft.description,
        tags: [...draft.tags].sort(),
        sql,
        lineMap,
    });
}

/** DuckDB macros are templates too, but belong to no place in the graph: they read what they are given. */
function compileMacros(
    project: Project,
    engine: TemplateEngine,
    problems: Problem[],
): CompiledProject["macros"] {
    const macros: CompiledMacro[] = [];
    for (const { name, file, text, kind } of project.macros) {
        if (kind !== "duckdb") continue;
        const parsed = engine.parse(file, text);
        if ("problem" in parsed) {
            problems.push(parsed.problem);
            continue;
        }
        const { output, rendering, problems: found } = engine.render(parsed.template);
        problems.push(...found);
        for (const [ref, position] of [...rendering.refs, ...rendering.sources]) {
            problems.push({
                ...position,
                message: `a DuckDB macro has no place in the order of models: pass ${ref} as a parameter, or write macros/${name}.hbs`,
            });
        }
        const { sql, lineMap } = assembleSql(output, engine.files, (_, ref) => ref);
        if (sql.trim() !== "") macros.push({ name, file, sql, lineMap });
    }
    return macros;
}

function throwOnCycle(
    refs: ReadonlyMap<string, readonly string[]>,
    models: ReadonlyMap<string, ModelDraft>,
): void {
    const cycle = findCycle(refs);
    if (!cycle) return;
    const steps = cycle.slice(0, -1).map((name, index) => {
        const next = cycle[index + 1]!;
        const position = models.get(name)!.refs.get(next)!;
        return `    ${position.file}:${position.line ?? 1} reads ${next}`;
    });
    const first = models.get(cycle[0]!)!;
    const position = first.refs.get(cycle[1]!)!;
    throw new GraphError([
        {
            ...position,
            message:
                cycle.length === 2
                    ? `${first.name} reads itself: a model is made from others`
                    : `models read each other in a circle: ${cycle.join(" → ")}\n${steps.join("\n")}\nTake one of these refs out, or split a model in two.`,
        },
    ]);
}
