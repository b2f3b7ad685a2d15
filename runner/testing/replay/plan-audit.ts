import type { ChosenDay } from "./choose-days.ts";
import type { Perturbation } from "./perturbation.ts";

/** One replay of an audit. */
export interface PlannedReplay {
    readonly day: string;
    readonly why: ChosenDay["why"];
    readonly perturbation: Perturbation;
    /**
     * Models to compare on the whole history, since no slice shows what they hold. Default: all that the audit is of.
     */
    readonly names?: ReadonlySet<string>;
}

/**
 * What every run replays: each day cut, the last one removed, since of it there is little to cut off; and the busiest
 * replaced and reordered, which takes away what a cut does. With perturbations named, each day has all of them.
 */
export function planAudit(
    days: readonly ChosenDay[],
    named?: readonly Perturbation[],
): readonly PlannedReplay[] {
    return days.flatMap((chosen) => {
        const own: readonly Perturbation[] =
            chosen.why === "busiest"
                ? ["replaced", "reordered"]
                : [chosen.why === "last" ? "removed" : "cut"];
        return (named ?? own).map((perturbation) => ({ ...chosen, perturbation }));
    });
}
