import { type Perturbation, perturbations } from "../../runner/testing/replay/perturbation.ts";
import { isClean, type ModelReplay, type Replay, replay } from "../../runner/testing/replay/replay.ts";
import { type LeakOrigin, traceLeak } from "../../runner/testing/replay/trace-leak.ts";
import type { Mutant, Variant } from "./mutant.ts";
import type { VariantWorld } from "./variant-world.ts";

/** What became of one variant: nothing to object, or what is not as it should be. */
export interface Judgement {
    readonly variant: Variant;
    readonly objections: readonly string[];
    /** What the replay said. */
    readonly report: string;
}

const seed = 1;
const signal = new AbortController().signal;

/** Whether every mutant is caught as it should be by its perturbation: model, column, rows, values and race. */
export async function judgeMutants(
    world: VariantWorld,
    mutants: readonly Mutant[],
): Promise<readonly Judgement[]> {
    const judgements: Judgement[] = [];
    for (const perturbation of perturbations) {
        const wanted = mutants.filter(({ by = "cut" }) => by === perturbation);
        if (wanted.length === 0) continue;
        const result = await replayVariants(world, perturbation, wanted);
        // Two at a time: a search is many small statements, which leave half of two cores idle.
        const queue = wanted.values();
        const judge = async () => {
            for (const mutant of queue) judgements.push(await judgeMutant(world, result, mutant));
        };
        await Promise.all([judge(), judge()]);
    }
    return judgements;
}

async function judgeMutant(world: VariantWorld, result: Replay, mutant: Mutant): Promise<Judgement> {
    const verdict = verdictOf(world, result, mutant);
    const origin = await originOf(world, result, verdict);
    return {
        variant: mutant,
        objections: [
            ...(isClean(originalOf(world, result, mutant)) ? [] : ["the model leaks without the change"]),
            ...objectionsTo(mutant, verdict, origin),
        ],
        report: describeVerdict(mutant, verdict, origin),
    };
}

/** Whether clean variants pass under every perturbation. */
export async function judgeClean(
    world: VariantWorld,
    variants: readonly Variant[],
    perturbations: readonly Perturbation[],
): Promise<readonly Judgement[]> {
    const results: Replay[] = [];
    for (const perturbation of perturbations)
        results.push(await replayVariants(world, perturbation, variants));
    return variants.map((variant) => {
        const verdicts = results.map((result) => verdictOf(world, result, variant));
        const differing = verdicts.filter((verdict) => !isClean(verdict));
        const reports = differing.map((verdict) => describeVerdict(variant, verdict, undefined));
        return {
            variant,
            objections: reports,
            report: `${variant.name}: ${reports.join("; ") || `no difference in ${verdicts[0]!.rows} rows`}`,
        };
    });
}

export function describeScore(mutants: readonly Judgement[], clean: readonly Judgement[]): string {
    const good = (judgements: readonly Judgement[]) =>
        judgements.filter(({ objections }) => objections.length === 0).length;
    return (
        `${good(mutants)} of ${mutants.length} leaky variants caught, ` +
        `${good(clean)} of ${clean.length} clean ones passed`
    );
}

/** One replay for all: the models in which the variants are looked for, and the originals beside them. */
function replayVariants(
    { project, compiled, warehouse, day, seenIn, originals }: VariantWorld,
    perturbation: Perturbation,
    variants: readonly Variant[],
): Promise<Replay> {
    const names = new Set(variants.flatMap(({ name }) => [seenIn.get(name)!, originals.get(name)!]));
    return replay({ project, compiled, warehouse, day, perturbation, seed, signal, names });
}

function verdictOf({ seenIn }: VariantWorld, { models }: Replay, { name }: Variant): ModelReplay {
    return modelIn(models, seenIn.get(name)!);
}

function originalOf({ originals }: VariantWorld, { models }: Replay, { name }: Variant): ModelReplay {
    return modelIn(models, originals.get(name)!);
}

function modelIn(models: readonly ModelReplay[], name: string): ModelReplay {
    const found = models.find(({ model }) => model === name);
    if (!found) throw new Error(`${name} was not compared`);
    return found;
}

async function originOf(
    { project, compiled, warehouse, day }: VariantWorld,
    { perturbation }: Replay,
    { model, example }: ModelReplay,
): Promise<LeakOrigin | undefined> {
    if (!example) return undefined;
    const deadline = performance.now() + 60_000;
    const trace = { model, example, traceSeconds: 60, deadline };
    return traceLeak({ project, compiled, warehouse, day, perturbation, seed, signal, ...trace });
}

function objectionsTo(
    { column, from }: Mutant,
    { columns, missing, extra, example, failure }: ModelReplay,
    origin: LeakOrigin | undefined,
): readonly string[] {
    const rows = columns.find((one) => one.column === column)?.rows ?? 0;
    const kind = origin?.kind;
    const isOfOneRace = kind === "own" || kind === "same-day" || kind === "later";
    return [
        ...(failure === undefined ? [] : [`it could not be made: ${failure}`]),
        ...(column === undefined && missing + extra === 0 ? ["no row is missing, and none too many"] : []),
        ...(column !== undefined && rows === 0 ? [`${column} is not named`] : []),
        ...(example && example.full !== example.replayed ? [] : ["there is no example"]),
        ...(from.some((one) => one === kind)
            ? []
            : [`it should leak from ${from.join(" or ")}, found ${kind}`]),
        ...(isOfOneRace && origin?.event?.race_id === undefined ? ["the race is not named"] : []),
    ];
}

function describeVerdict(
    { name }: Variant,
    { model, columns, missing, extra, example, failure }: ModelReplay,
    origin: LeakOrigin | undefined,
): string {
    const listed = columns.slice(0, 3).map(({ column, rows }) => `${column} in ${rows} rows`);
    const more = columns.length > 3 ? [`${columns.length - 3} columns more`] : [];
    const lost = missing + extra > 0 ? [`${missing} rows missing, ${extra} more`] : [];
    const key = example && Object.entries(example.key).map(([column, value]) => `${column} ${value}`);
    const values =
        example &&
        `such as ${example.column ?? "one"} of ${key!.join(", ")}: ${example.full}, replayed ${example.replayed}`;
    const event = Object.entries(origin?.event ?? {}).map(([column, value]) => `${column} ${value}`);
    const from = origin && `from ${[origin.kind, ...event, origin.day].filter(Boolean).join(", ")}`;
    return `${name}: ${[failure, model, ...listed, ...more, ...lost, values, from].filter(Boolean).join("; ")}`;
}
