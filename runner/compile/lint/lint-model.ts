import type { Position } from "../../errors.ts";
import type { LintRule } from "../../project/lint-rules.ts";
import type { CompiledModel } from "../compiled.ts";
import { type Acceptance, readAcceptances } from "./acceptances.ts";
import { callsOf } from "./calls.ts";
import { choiceFindings } from "./choice-rules.ts";
import { frameFindings, type RawFinding } from "./frame-rules.ts";
import { readStatement, type Select } from "./read-select.ts";
import type { Keys } from "./row-keys.ts";
import { readSqlTree } from "./sql-tree.ts";
import { templatePlace } from "./template-place.ts";

/** One thing found in one model, at its place in the templates. */
export interface ModelFinding extends Position {
    readonly model: string;
    readonly rule: LintRule;
    readonly message: string;
    readonly accepted?: string;
}

/** An acceptance written in the SQL of a model, or in its yml. */
export interface Said extends Position {
    readonly model: string;
    readonly rule: LintRule;
    readonly isUsed: boolean;
}

export interface LintedModel {
    readonly findings: readonly ModelFinding[];
    readonly said: readonly Said[];
}

/**
 * `reach`: all rules for a model with `as_of`, choices for one that such a model reads, none for others.
 * Returns keys of the model's rows as well, which the models after it want to know.
 */
export function lintModel(
    model: CompiledModel,
    known: { readonly keys: ReadonlyMap<string, Keys>; readonly texts: ReadonlyMap<string, string> },
    reach: "all" | "choices" | "none",
): LintedModel & { readonly keys: Keys } {
    const tree = readSqlTree(model.sql);
    const { selects, keys } = readStatement(tree.nodes, known.keys);
    const raw = reach === "none" ? [] : selects.flatMap((select) => lintSelect(select, model, reach));
    const owner = { ...model, inYml: model.config.acceptedLint ?? {} };
    return { ...settle(owner, unrepeated(raw), readAcceptances(model.sql, tree), known.texts), keys };
}

function lintSelect(
    select: Select,
    { config }: CompiledModel,
    reach: "all" | "choices",
): readonly RawFinding[] {
    const calls = callsOf(select);
    const frames = reach === "all" ? frameFindings(select, calls, config.asOf!) : [];
    // What is not by day is not unique either: said once.
    const told = new Set(frames.filter(({ rule }) => rule !== "current-row").map(({ offset }) => offset));
    return [...frames, ...choiceFindings(select, calls).filter(({ offset }) => !told.has(offset))];
}

/** Findings with their places and with what was said of them. */
export function settle(
    owner: Pick<CompiledModel, "name" | "file" | "sql" | "lineMap"> & {
        readonly inYml: NonNullable<CompiledModel["config"]["acceptedLint"]>;
    },
    raw: readonly RawFinding[],
    { accepted, broken }: ReturnType<typeof readAcceptances>,
    texts: ReadonlyMap<string, string>,
): LintedModel {
    const { name, file, inYml } = owner;
    const place = (offset: number) => templatePlace(owner, offset, texts);
    const used = new Set<Acceptance | LintRule>();
    const findings = raw.map(({ rule, message, offset }): ModelFinding => {
        const inSql = accepted.find((one) => one.rule === rule && offset >= one.from && offset <= one.to);
        const reason = inSql?.reason ?? inYml[rule];
        if (reason !== undefined) used.add(inSql ?? rule);
        return {
            model: name,
            rule,
            message,
            ...place(offset),
            ...(reason !== undefined && { accepted: reason }),
        };
    });
    const unusable = broken.map(
        ({ offset, message }): ModelFinding => ({
            model: name,
            rule: "acceptance",
            message,
            ...place(offset),
        }),
    );
    const said = [
        ...accepted.map((one) => ({
            model: name,
            rule: one.rule,
            isUsed: used.has(one),
            ...place(one.offset),
        })),
        ...(Object.keys(inYml) as LintRule[]).map((rule) => ({
            model: name,
            rule,
            isUsed: used.has(rule),
            file,
        })),
    ];
    return { findings: [...findings, ...unusable], said };
}

/** A named window is found with each of its uses. */
function unrepeated(findings: readonly RawFinding[]): readonly RawFinding[] {
    const byPlace = new Map(findings.map((finding) => [`${finding.rule} ${finding.offset}`, finding]));
    return [...byPlace.values()];
}
