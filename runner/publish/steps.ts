/** The protocol's steps, in order, as tests and notes name them. */
type PublishStep =
    | "preflight"
    | "build"
    | "load"
    | "loaded"
    | "index"
    | "refresh"
    | "verify"
    | "built"
    | "swap"
    | "swapped";

/** Called before each step (for the last, after it); publishing waits for it. */
export type OnStep = (step: PublishStep) => Promise<void> | void;

/** Gates that a caller may open by name; each is recorded with the generation. */
export const publishOverrides = ["row-count", "columns", "nulls", "dates", "publications"] as const;
export type PublishOverride = (typeof publishOverrides)[number];
