import { type LintRule, lintRuleNames } from "../../project/lint-rules.ts";
import { nearest } from "../unknown-name.ts";
import type { Comment, SqlNode, SqlTree } from "./sql-tree.ts";

/** `-- lint: accept current-row: read through a pointer to an earlier day`. */
export interface Acceptance {
    readonly rule: LintRule;
    readonly reason: string;
    /** Where the comment stands. */
    readonly offset: number;
    /** What it covers, in characters of the compiled SQL. */
    readonly from: number;
    readonly to: number;
}

export interface BrokenAcceptance {
    readonly offset: number;
    readonly message: string;
}

const form = "-- lint: accept <rule>: <reason>";

/** Acceptances in the comments of a SQL, and those that cannot be. */
export function readAcceptances(
    sql: string,
    tree: SqlTree,
): { readonly accepted: readonly Acceptance[]; readonly broken: readonly BrokenAcceptance[] } {
    const accepted: Acceptance[] = [];
    const broken: BrokenAcceptance[] = [];
    for (const comment of tree.comments) {
        const said = /^--\s*lint:\s*(.*)$/.exec(comment.text)?.[1];
        if (said === undefined) continue;
        const parts = /^accept\s+([\w-]+)\s*(?::\s*(.*))?$/.exec(said.trim());
        const { offset } = comment;
        const rule = lintRuleNames.find((name) => name === parts?.[1]);
        if (!parts) broken.push({ offset, message: `not understood: write \`${form}\`` });
        else if (!rule || rule === "acceptance") {
            const names = lintRuleNames.filter((name) => name !== "acceptance");
            broken.push({
                offset,
                message: `there is no rule ${parts[1]} to accept; ${nearest(parts[1]!, names)}`,
            });
        } else if (!parts[2]?.trim()) {
            broken.push({ offset, message: `${rule} is accepted without a reason: write \`${form}\`` });
        } else accepted.push({ rule, reason: parts[2].trim(), offset, ...coveredBy(sql, tree, comment) });
    }
    return { accepted, broken };
}

/**
 * The line of code that the comment ends, else the next one, with what is opened on it: a parenthesis up to
 * its close, a window clause up to its end. So a comment above a CTE covers the CTE.
 */
function coveredBy(
    sql: string,
    { tokens, nodes }: SqlTree,
    { offset, end }: Comment,
): Pick<Acceptance, "from" | "to"> {
    const lineStart = sql.lastIndexOf("\n", offset - 1) + 1;
    const first = tokens.find(
        (token) => token.offset >= lineStart && (token.offset < offset || token.offset >= end),
    );
    if (!first) return { from: end, to: end };
    const from = sql.lastIndexOf("\n", first.offset) + 1;
    const lineEnd = sql.indexOf("\n", first.offset);
    const to = lineEnd < 0 ? sql.length : lineEnd;
    const isWindowClause = first.kind === "word" && first.text === "window";
    return { from, to: Math.max(to, ...endsOf(nodes, sql.length, { from, to, isWindowClause })) };
}

function endsOf(
    nodes: readonly SqlNode[],
    end: number,
    line: { readonly from: number; readonly to: number; readonly isWindowClause: boolean },
): readonly number[] {
    return nodes.flatMap((node): readonly number[] => {
        const begins = node.offset >= line.from && node.offset < line.to;
        if (node.kind === "group") return begins ? [node.end] : endsOf(node.items, node.end, line);
        return begins && line.isWindowClause && node.text === "window" ? [end] : [];
    });
}
