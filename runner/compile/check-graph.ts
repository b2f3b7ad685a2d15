import type { Position, Problem } from "../errors.ts";
import { nearestNames } from "../names.ts";
import type { ModelConfig, Project } from "../project/project.ts";
import type { CompiledSeed } from "./compiled.ts";
import type { ModelDraft } from "./draft-models.ts";
import { locatedProblem } from "./snippet.ts";

interface Drafts {
    readonly project: Project;
    /** Disabled ones too. */
    readonly drafts: ReadonlyMap<string, ModelDraft>;
    readonly models: ReadonlyMap<string, ModelDraft>;
    readonly seeds: ReadonlyMap<string, CompiledSeed>;
    readonly assertions: readonly { readonly file: string; readonly refs: ReadonlyMap<string, Position> }[];
}

/** Relations between enabled nodes that no single file can know. */
export function checkGraph(all: Drafts, problems: Problem[]): void {
    const { project, models, assertions } = all;
    const texts = new Map<string, string>();
    for (const { file, text } of [...project.models, ...project.assertions, ...project.macros])
        texts.set(file, text);
    const report = (position: Position, message: string) =>
        problems.push(locatedProblem(position, texts.get(position.file) ?? "", message));
    for (const model of models.values()) {
        checkMaterialization(model, all, report);
        checkMovesFrom(model, all, report);
        checkEvent(model, report);
        checkGrain(model, report);
        checkTripwires(model, report);
        for (const [ref, position] of model.refs) checkRef(ref, position, model, all, report);
        if (model.config.materialized === "postgres_materialized_view") {
            for (const [source, position] of model.sources) {
                report(
                    position,
                    `a postgres_materialized_view lives in the target and cannot read the source ${source}: read a published table`,
                );
            }
        }
    }
    for (const { file, refs } of assertions) {
        for (const [ref, position] of refs)
            checkRef(ref, position, { name: file, config: undefined }, all, report);
    }
    checkPublishedNames(all, report);
}

type Report = (position: Position, message: string) => void;

function checkRef(
    ref: string,
    position: Position,
    reader: { readonly name: string; readonly config: ModelConfig | undefined },
    { drafts, models, seeds, project }: Drafts,
    report: Report,
): void {
    const read = models.get(ref)?.config ?? seeds.get(ref)?.config;
    if (!read) {
        const disabled = drafts.get(ref) ?? project.seeds.find(({ name }) => name === ref);
        if (disabled) {
            report(
                position,
                `ref to ${ref}, which is disabled (${disabled.file}): enable it, or disable ${reader.name} too`,
            );
        }
        return;
    }
    const isView = reader.config?.materialized === "postgres_materialized_view";
    if (read.materialized === "postgres_materialized_view") {
        report(
            position,
            `${ref} is a postgres_materialized_view: it exists only in the target, and nothing here can read it`,
        );
    } else if (isView && !isPublishedTable(read)) {
        report(
            position,
            `a postgres_materialized_view reads published tables only: make ${ref} a table, view or postgres_table with the tag publish (it is ${read.materialized}${read.tags.includes("publish") ? "" : ", not tagged publish"})`,
        );
    }
}

function isPublishedTable({ materialized, tags }: ModelConfig): boolean {
    return tags.includes("publish") && ["table", "view", "postgres_table"].includes(materialized);
}

function checkMaterialization({ file, language, config }: ModelDraft, _: Drafts, report: Report): void {
    const { materialized, tags, external } = config;
    const at = { file };
    if (language === "typescript" && materialized !== "table" && materialized !== "postgres_table") {
        report(at, `a TypeScript model is a table or a postgres_table, found materialized: ${materialized}`);
    }
    if (tags.includes("publish") && ["ephemeral", "external"].includes(materialized)) {
        report(
            at,
            `is tagged publish, and is materialized as ${materialized}: only table, view, postgres_table and postgres_materialized_view can be published`,
        );
    }
    if (materialized === "external" && !external) {
        report(
            at,
            "is materialized as external, and nothing says where: add external: { path: target/name.parquet, format: parquet } to its yml",
        );
    }
    if (external && materialized !== "external") {
        report(
            at,
            `has external: in its yml, and is materialized as ${materialized}: set materialized: external, or take it out`,
        );
    }
}

function checkEvent({ file, config }: ModelDraft, report: Report): void {
    if (config.event === undefined || config.grain.includes(config.event)) return;
    const grain = config.grain.join(", ") || "empty";
    report(
        { file },
        `has event: ${config.event}, which is not in its grain (${grain}): name one of its columns`,
    );
}

/** Rows of two builds are told apart by their grain: a number that means nothing tells none apart. */
function checkGrain({ file, config }: ModelDraft, report: Report): void {
    const surrogates = config.columns.filter(({ surrogate }) => surrogate).map(({ name }) => name);
    for (const name of config.grain.filter((column) => surrogates.includes(column)))
        report(
            { file },
            `has ${name} in its grain, and declares it surrogate: true, a number that differs from build to build: name columns that identify a row in every build`,
        );
}

function checkTripwires({ file, config }: ModelDraft, report: Report): void {
    if (!config.tripwires) return;
    const declared = new Set(config.columns.map(({ name }) => name));
    for (const [key, name] of Object.entries(config.tripwires)) {
        if (declared.has(name)) continue;
        const near = nearestNames(name, declared);
        const hint = near.length > 0 ? `; near: ${near.join(", ")}` : "";
        report({ file }, `has tripwires: ${key}: ${name}, which is none of its columns${hint}`);
    }
    if (config.grain.length === 0)
        report(
            { file },
            "has tripwires and no grain: its first column, or event:, says which rows are compared",
        );
}

/** Both sides of a move are rows of the same kind, known by the same columns. */
function checkMovesFrom({ name, file, config }: ModelDraft, { models }: Drafts, report: Report): void {
    if (config.movesFrom === undefined) return;
    const from = models.get(config.movesFrom)?.config;
    const found = !from || config.movesFrom === name ? "which is no other model" : undefined;
    const differs =
        from && (from.asOf !== config.asOf || from.grain.join() !== config.grain.join() || !config.asOf);
    if (!found && !differs) return;
    report(
        { file },
        `has moves_from: ${config.movesFrom}, ${found ?? "whose as_of and grain are not the same"}: name the model in which its rows stand until their outcomes are known, with the same as_of and grain`,
    );
}

/** The build schema of the target holds all published relations, whatever schema they end up in. */
function checkPublishedNames({ models, seeds }: Drafts, report: Report): void {
    const owners = new Map<string, string>();
    for (const { name, file, config } of [...models.values(), ...seeds.values()]) {
        if (!config.tags.includes("publish") && config.materialized !== "postgres_materialized_view")
            continue;
        const published = config.publish?.name ?? name;
        const owner = owners.get(published);
        if (owner !== undefined)
            report(
                { file },
                `is published as ${published}, as ${owner} is: names must differ, even in different schemas`,
            );
        owners.set(published, owner ?? file);
    }
}
