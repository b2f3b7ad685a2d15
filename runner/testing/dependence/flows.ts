/**
 * Where a value that moved stands, seen from the source row that was changed: its own row (or its event, for a source
 * with one row an event), another row of the same event, another event of the same day, a later day, or an earlier one.
 * From the row's side these are the places it depends on.
 */
export const scopes = ["own", "event", "day", "earlier", "later"] as const;
export type Scope = (typeof scopes)[number];

/** A source column as far as flows are concerned. */
export interface Origin {
    /** `source.column`, or `source.pattern_*` of columns that are changed together. */
    readonly name: string;
    /** Known only after the event. */
    readonly isOutcome: boolean;
    /** Its own tier, where models may leave it out: such a column flows only into columns of the same tier. */
    readonly tier?: string;
}

/** Columns of these tiers are facts, known before: they come from nobody's outcomes, whenever these were. */
const factTiers: readonly string[] = ["key", "declared"];
/** Outcomes of the row's own event. */
const labelTier = "label";

/** Why a column of this tier may not depend on the origin in this scope; undefined: it may. */
export function forbiddenFlow(
    tier: string,
    { isOutcome, tier: own }: Origin,
    scope: Scope,
): string | undefined {
    if (scope === "later") return "it comes from a later day";
    const isRestricted = isOutcome || own !== undefined;
    if (!isRestricted) return undefined;
    if (scope === "earlier") {
        return factTiers.includes(tier) ? `${tier} knows no outcomes and nothing of another tier` : undefined;
    }
    if (isOutcome) {
        if (scope === "day") return "it is an outcome of the same day";
        return tier === labelTier ? undefined : `only ${labelTier} may know outcomes of its own event`;
    }
    return tier === own
        ? undefined
        : `only ${own} may know this ${scope === "day" ? "day" : "event"}'s ${own}`;
}
