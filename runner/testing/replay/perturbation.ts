/**
 * What is changed in the sources before the pipeline is built again. T is the day replayed; an event's outcomes are
 * the columns and tables that are `known: after`, dated by their clock.
 *
 * | | outcomes of T | events after T |
 * |---|---|---|
 * | removed | gone | without their outcomes |
 * | cut | gone | gone altogether |
 * | replaced | those of other events, or gone | as on T for a while, then gone |
 * | reordered | gone | gone; all rows in another physical order, surrogates renumbered |
 *
 * `cut` asks more than `removed`: what is only declared of later events may not flow in either. It costs less, too,
 * since the pipeline is built on the history up to T.
 */
export const perturbations = ["removed", "cut", "replaced", "reordered"] as const;
export type Perturbation = (typeof perturbations)[number];

export const descriptions: Readonly<Record<Perturbation, string>> = {
    removed: "the outcomes of T and later were taken out",
    cut: "the outcomes of T were taken out, and all events after it",
    replaced: "events of T and later took outcomes of others, or none; far later ones were taken out",
    reordered: "as cut, with source rows in another physical order and surrogates renumbered",
};
