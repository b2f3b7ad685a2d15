import { quoteName, quoteText } from "../../names.ts";
import type { Source, SourceColumn } from "../../project/project.ts";
import type { EventRange } from "./events.ts";
import type { Perturbation } from "./perturbation.ts";

/** The sources as they would have been, had what is known of day T and later been something else. */
export interface World {
    readonly sources: readonly Source[];
    /** Quoted catalog of the full build, whose sources are read. */
    readonly base: string;
    /** T, as ISO text. */
    readonly day: string;
    readonly perturbation: Perturbation;
    readonly seed: number;
    /** Perturb these events alone. Default: all of T and later. */
    readonly only?: EventRange;
    /** Leave the clock as it is. Default: it is the morning of T. */
    readonly isClockKept?: boolean;
}

export function joinOn(keys: readonly string[], one: string, other: string): string {
    return keys.map((key) => `${one}.${quoteName(key)} = ${other}.${quoteName(key)}`).join(" and ");
}

/** The same order among versions of one event's rows, and nothing of when the outcomes came. */
export function writtenBefore(name: string): string {
    return `source.${name} - interval 10 year`;
}

/** SQL that is true where an outcome column holds a value that is known before the event, in any case and spacing. */
export function isKnownBefore({ name, knownBeforeValues }: SourceColumn, relation: string): string {
    const code = (text: string) => `upper(translate(trim(${text}), ' -', '__'))`;
    const values = knownBeforeValues.map((value) => code(quoteText(value)));
    return `${code(`${relation}.${quoteName(name)}::varchar`)} in (${values.join(", ")})`;
}
