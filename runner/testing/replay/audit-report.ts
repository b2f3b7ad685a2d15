import { countOf, formatCount, formatSeconds, formatTable } from "../../status/format.ts";
import type { Audit, SourceDeclaration } from "./audit.ts";
import { describeLeaks } from "./describe-leak.ts";
import { descriptions } from "./perturbation.ts";

/** Where and when an audit was made, and how to make it again. */
export interface AuditOccasion {
    readonly runId: string;
    readonly target: string;
    /** When the sources were read, ISO. */
    readonly snapshotAt?: string;
    readonly version: string;
    /** Arguments of `rebuild` that repeat it. */
    readonly command: string;
}

const width = 100;

/** One page for a reader who believes nothing: what was declared, what was done, what was found, how to repeat it. */
export function auditReport(audit: Audit, occasion: AuditOccasion): string {
    const { replays, models } = audit;
    const [rows, cells] = [total(audit, "rows"), total(audit, "cells")];
    const failed = replays.filter(({ passed }) => !passed);
    const kinds = [...new Set(replays.map(({ perturbation }) => perturbation))];
    return [
        `Audit of leakage: ${audit.project}`,
        `Run ${occasion.runId}, target ${occasion.target}, rebuild ${occasion.version}` +
            (occasion.snapshotAt === undefined ? "" : `, sources read at ${occasion.snapshotAt}`),
        "",
        failed.length === 0
            ? `PASSED. ${countOf(replays.length, "replay")}, ${countOf(rows, "row")}, ${countOf(cells, "value")} compared: none differs.`
            : `FAILED. ${failed.length} of ${countOf(replays.length, "replay")} differ.`,
        "",
        "What is claimed",
        ...wrap(
            `No row of ${countOf(models.length, "model")} knows anything of its own day or later, beyond what is declared to be known before, ` +
                "and, in columns of tier label, the outcomes of its own event.",
        ),
        ...wrap(models.map(({ model, asOf }) => `${model} (${asOf})`).join(", ")),
        "",
        "What is declared (models/sources.yml), and believed",
        ...audit.declarations.flatMap(describeDeclaration),
        "",
        "What was done",
        ...wrap(
            "For each day T the sources were changed as below, the models were built again from them, and every row up to " +
                "and including T was compared with the full build, column by column, in both directions. Two NULLs are equal; " +
                "nothing else is rounded or tolerated.",
        ),
        ...describeSlices(audit),
        ...kinds.map((kind) => `  ${kind.padEnd(10)} ${descriptions[kind]}`),
        "",
        formatTable(
            ["day", "chosen as", "history", "sources", "models", "rows", "values", "seconds", "result"],
            replays.map((replay) => [
                replay.day,
                replay.why,
                replay.slice ? `${formatCount(replay.slice.events)} events` : "whole",
                replay.perturbation,
                formatCount(replay.models.length),
                formatCount(sum(replay.models, "rows")),
                formatCount(sum(replay.models, "cells")),
                replay.seconds.toFixed(1),
                replay.passed ? "equal" : "DIFFERS",
            ]),
        ),
        "",
        "What was found",
        ...(failed.length === 0
            ? ["  Nothing differs."]
            : failed.flatMap((replay) => [
                  `  ${replay.day}, ${replay.perturbation}:`,
                  ...describeLeaks(replay)
                      .split("\n")
                      .map((line) => `    ${line}`),
              ])),
        "",
        "What it does not show",
        ...wrap(
            "That the sources say when they knew: a price revised after the event, a declaration made late, or a wrong date is " +
                "taken at its word. Days other than these: more are replayed by --days. See docs/leakage.md.",
        ),
        "",
        "How to repeat it",
        `  rebuild ${occasion.command}`,
        `  (seed ${audit.seed}; the same seed changes the same sources the same way; ${formatSeconds(audit.seconds)} here)`,
    ].join("\n");
}

/** What days on a slice rest on, and what of their values it lacks. */
function describeSlices({ replays, coverage }: Audit): readonly string[] {
    const slice = replays.find((replay) => replay.slice)?.slice;
    if (!slice) return [];
    const lines = wrap(
        `Where the history is not whole, both builds were made from a slice of its ${countOf(slice.ofEvents, "event")}: all of the day, the ` +
            "days around it, and single rows of others from all over the history: what the day's entities did, what is most " +
            "and least like the day.",
    );
    if (!coverage) return lines;
    const { seen, unseen, counting } = coverage;
    const lacking = unseen.map(({ column }) => column).join(", ");
    return [
        ...lines,
        ...wrap(
            `Of ${countOf(seen.length + unseen.length, "column")} ` +
                `${formatCount(seen.length)} have values enough in one of them, or on a day that was replayed whole; ` +
                (unseen.length === 0
                    ? "none is left."
                    : `the models of the others were replayed whole for it, chosen as "unseen": ${lacking}`),
        ),
        ...(counting.length === 0
            ? []
            : wrap(
                  "May count further than a slice does, and replayed whole on these days: " +
                      counting.map(({ model, limit }) => `${model} (${limit})`).join(", "),
              )),
    ];
}

function describeDeclaration(source: SourceDeclaration): readonly string[] {
    const { clock, isOutcome, outcomes, knownBefore, surrogates, versions, undeclared } = source;
    const parts = [
        clock === undefined
            ? "no clock: known always"
            : isOutcome
              ? `known after ${clock}, as a whole`
              : outcomes.length > 0
                ? `known after ${clock}: ${outcomes.join(", ")}`
                : `dated by ${clock}, known before`,
        ...Object.entries(knownBefore).map(
            ([column, values]) => `but ${column} before, where it is ${values.join(", ")}`,
        ),
        ...(surrogates.length > 0 ? [`means nothing: ${surrogates.join(", ")}`] : []),
        ...(versions.length > 0 ? [`orders versions only: ${versions.join(", ")}`] : []),
        ...(undeclared.length > 0 ? [`NOT DECLARED, taken as known before: ${undeclared.join(", ")}`] : []),
    ];
    return wrap(`${source.source}: ${parts.join("; ")}`);
}

function total(audit: Audit, of: "rows" | "cells"): number {
    return audit.replays.reduce((all, { models }) => all + sum(models, of), 0);
}

function sum(models: readonly { readonly rows: number; readonly cells: number }[], of: "rows" | "cells") {
    return models.reduce((all, model) => all + model[of], 0);
}

/** Lines of at most `width`, indented. */
function wrap(text: string): readonly string[] {
    const lines: string[] = [];
    let line = "";
    for (const word of text.split(" ")) {
        if (line && line.length + word.length + 3 > width) {
            lines.push(`  ${line}`);
            line = "";
        }
        line = line ? `${line} ${word}` : word;
    }
    return [...lines, `  ${line}`];
}
