import type { CompiledProject } from "../compile/compiled.ts";
import { type LintFinding, lintProject } from "../compile/lint/lint-project.ts";
import { CompileError } from "../errors.ts";
import type { Project } from "../project/project.ts";
import { countOf } from "../status/format.ts";

/**
 * What the lint has to say before anything is done: errors of rules that rebuild.yml made errors stop, warnings are
 * counted.
 */
export function checkLint(project: Project, compiled: CompiledProject, note: (text: string) => void): void {
    const open = lintProject(project, compiled).filter(({ accepted }) => accepted === undefined);
    const errors = open.filter(({ level }) => level === "error");
    if (errors.length > 0) {
        throw new CompileError(
            errors.map(({ file, line, column, rule, message, snippet }) => ({
                file,
                ...(line !== undefined && { line }),
                ...(column !== undefined && { column }),
                message: [`${rule}: ${message}`, snippet].filter(Boolean).join("\n"),
            })),
        );
    }
    if (open.length > 0) note(`WARN lint: ${countByRule(open)}; \`rebuild lint\` shows where`);
}

/** `3 warnings (2 current-row, 1 clock)` */
function countByRule(findings: readonly LintFinding[]): string {
    const counts = new Map<string, number>();
    for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    const rules = [...counts].map(([rule, count]) => `${count} ${rule}`).join(", ");
    return `${countOf(findings.length, "warning")} (${rules})`;
}
