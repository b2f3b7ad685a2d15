import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";

/** This project with one thing changed: a leak, or something that only looks like one. */
export interface Variant {
    /** Unique, and part of the names of its models: a_z0_9. */
    readonly name: string;
    /** What flows in, or why nothing does. */
    readonly why: string;
    /** The file whose text is replaced: a model, a macro. */
    readonly file: string;
    /** Each text must stand in the file, and every place of it is changed. */
    readonly replace: readonly (readonly [from: string, to: string])[];
    /** The model with `as_of` in which it is looked for. Default: the changed model. */
    readonly seenIn?: string;
}

/** A variant that leaks. */
export interface Mutant extends Variant {
    /** A column that must be named. Absent: rows are missing, or too many. */
    readonly column?: string;
    /** Whose event leaks, or whatever else; several where more than one is right. */
    readonly from: readonly ("own" | "same-day" | "later" | "several" | "clock" | "order")[];
    /** Perturbations that must notice. Default: cut. */
    readonly by?: Perturbation;
}
