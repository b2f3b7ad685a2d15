import { CompileError, type Problem } from "../errors.ts";
import type { Project } from "../project/project.ts";
import { type AssembledSql, assembleSql } from "./assemble.ts";
import { compileProject } from "./compile-project.ts";
import { inlineEphemerals, relationName } from "./relations.ts";
import { locatedProblem } from "./snippet.ts";
import { createTemplateEngine } from "./template-engine.ts";

export interface CompiledText extends AssembledSql {
    readonly refs: readonly string[];
    readonly sources: readonly string[];
}

/** SQL from outside of the project, compiled as an assertion would be: `select * from {{ref "career"}}`. */
export function compileText(project: Project, text: string, name = "inline"): CompiledText {
    const compiled = compileProject(project);
    const engine = createTemplateEngine(project);
    const parsed = engine.parse(name, text);
    if ("problem" in parsed) throw new CompileError([parsed.problem]);
    const { output, rendering, problems } = engine.render(parsed.template);
    const found: Problem[] = [...engine.problems, ...problems];
    for (const [ref, position] of rendering.refs) {
        const node = compiled.nodes.get(ref);
        if (node?.kind === "model" && node.config.materialized === "postgres_materialized_view") {
            found.push(
                locatedProblem(
                    position,
                    text,
                    `${ref} is a postgres_materialized_view: it exists only in the target`,
                ),
            );
        } else if (!node) found.push(locatedProblem(position, text, `${ref} is disabled`));
    }
    if (found.length > 0) throw new CompileError(found);
    const models = new Map(
        [...compiled.nodes.values()]
            .filter((node) => node.kind === "model")
            // Compiled SQL holds the ephemeral models it reads already.
            .map((node) => [node.name, { config: node.config, refs: new Map() }]),
    );
    const assembled = assembleSql(output, engine.files, (_, ref) => relationName(ref, models, ""));
    const refs = [...rendering.refs.keys()];
    // A name that no model can have: the text itself may be called like one.
    const self = "";
    const own = new Map<string, AssembledSql>([[self, assembled]]);
    for (const node of compiled.nodes.values()) {
        if (node.kind === "model") own.set(node.name, { sql: node.sql, lineMap: node.lineMap });
    }
    const { sql, lineMap } = inlineEphemerals(self, own, models, refs);
    return { sql, lineMap, refs, sources: [...rendering.sources.keys()] };
}
