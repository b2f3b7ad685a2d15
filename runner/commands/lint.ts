import colours from "picocolors";
import { type LintFinding, lintProject } from "../compile/lint/lint-project.ts";
import { selectNodes } from "../compile/select.ts";
import { lintLevels } from "../project/lint-rules.ts";
import { toSnakeCase } from "../status/artifacts.ts";
import { countOf } from "../status/format.ts";
import type { CommonOptions, Environment, SelectionOptions } from "./environment.ts";
import { prepare } from "./prepare.ts";

export interface LintOptions extends CommonOptions, SelectionOptions {
    /** Show what was accepted too, with the reasons. */
    readonly accepted: boolean;
}

/** Lists forms of SQL that may leak, with the line and a caret; returns whether none of them is an error. */
export async function lint(options: LintOptions, environment: Environment): Promise<boolean> {
    const { project, compiled } = await prepare(options, environment);
    const names = selectNodes(compiled, options);
    const found = lintProject(project, compiled).filter(
        ({ models }) => models.length === 0 || models.some((model) => names.has(model)),
    );
    const { data, note } = environment.output;
    const open = found.filter(({ accepted }) => accepted === undefined);
    if (options.json) data(JSON.stringify(found.map(toSnakeCase), null, 2));
    else for (const finding of options.accepted ? found : open) data(describe(finding));
    const counts = lintLevels
        .slice(1)
        .map((level) => countOf(open.filter((finding) => finding.level === level).length, noun[level]!));
    note(`Lint: ${counts.join(", ")}, ${found.length - open.length} accepted with a reason`);
    return open.every(({ level }) => level !== "error");
}

const noun: Readonly<Record<string, string>> = { warn: "warning", error: "error" };

/** ```
 * models/features/career.sql:12:30 WARN current-row: this frame ends with ...
 *   12 |     rows between unbounded preceding and current row
 *      |     ^
 * ```
 */
function describe({
    file,
    line,
    column,
    level,
    rule,
    message,
    models,
    snippet,
    accepted,
}: LintFinding): string {
    const place = [file, line, column].filter((part) => part !== undefined).join(":");
    const mark =
        accepted !== undefined
            ? "accepted"
            : level === "error"
              ? colours.red("ERROR")
              : colours.yellow("WARN");
    const shared = models.length > 1 ? ` (in ${models.join(", ")})` : "";
    return [
        `${place} ${mark} ${rule}: ${accepted ?? message}${shared}`,
        ...(snippet === undefined ? [] : [snippet]),
    ].join("\n");
}
