import { GraphError, type Problem } from "../errors.ts";
import type { PhaseRule } from "../project/project.ts";
import type { RunPhase } from "../status/phase-track.ts";
import type { CompiledProject } from "./compiled.ts";
import { selectNodes } from "./select.ts";

/** A project that names no phases has the runner's own. */
const usual: readonly PhaseRule[] = [
    { name: "extract", steps: ["extract"], models: [], rest: false },
    { name: "build", steps: ["seed", "build"], models: [], rest: true },
    { name: "test", steps: ["test"], models: [], rest: false },
    { name: "publish", steps: ["publish"], models: [], rest: false },
    { name: "refresh", steps: ["refresh"], models: [], rest: false },
];

/** Gives every model and seed to one phase: the first that names it, else the one that takes the rest. */
export function assignPhases(
    rules: readonly PhaseRule[] | undefined,
    compiled: CompiledProject,
): readonly RunPhase[] {
    const chosen = rules ?? usual;
    const problems: Problem[] = [];
    const left = new Set(compiled.order);
    const phases = chosen.map(({ name, steps, models }, index) => {
        const mine = new Set<string>();
        for (const node of selectTerms(models, compiled, `phases[${index}].models`, problems)) {
            if (left.delete(node)) mine.add(node);
        }
        return { name, steps: new Set<string>(steps), models: mine };
    });
    const rest = phases[chosen.findIndex((rule) => rule.rest)];
    if (rest) for (const name of left) rest.models.add(name);
    else if (left.size > 0) {
        const shown = [...left].slice(0, 5).join(", ");
        const more = left.size > 5 ? ` and ${left.size - 5} more` : "";
        problems.push({
            file: "rebuild.yml",
            key: "phases",
            message: `no phase has ${shown}${more}: name them, or give one phase \`rest: true\``,
        });
    }
    if (problems.length > 0) throw new GraphError(problems);
    return phases;
}

function selectTerms(
    terms: readonly string[],
    compiled: CompiledProject,
    key: string,
    problems: Problem[],
): ReadonlySet<string> {
    if (terms.length === 0) return new Set();
    try {
        return selectNodes(compiled, { select: terms });
    } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        problems.push(
            ...error.problems.map(({ message }) => ({
                file: "rebuild.yml",
                key,
                message: message.replace("--select ", ""),
            })),
        );
        return new Set();
    }
}
