import type { CompiledNode } from "../compile/compiled.ts";
import { ConfigError } from "../errors.ts";
import { nearestNames } from "../names.ts";

export interface ColumnOptions {
    /** Only columns of these tiers; those of the grain always come along. */
    readonly tier?: readonly string[];
    readonly withoutTier?: readonly string[];
    /** Only these columns, in this order. */
    readonly columns?: readonly string[];
}

/** Which of a relation's columns were asked for, by name or by the tier that the model's yml gives them. */
export function pickColumns(
    relation: string,
    found: readonly string[],
    node: CompiledNode | undefined,
    { tier, withoutTier, columns }: ColumnOptions,
): readonly string[] {
    if (columns) return namedColumns(relation, found, columns);
    if (!tier && !withoutTier) return found;
    const config = node && node.kind !== "assertion" ? node.config : undefined;
    const tiers = new Map(config?.columns.map(({ name, tier }) => [name, tier]));
    const grain = config?.grain ?? [];
    const untold = found.filter((name) => tiers.get(name) === undefined && !grain.includes(name));
    if (untold.length > 0) {
        throw new ConfigError(
            `${relation} has columns whose yml names no tier: ${untold.slice(0, 5).join(", ")}` +
                `${untold.length > 5 ? ` and ${untold.length - 5} more` : ""}. ` +
                "Whether they belong cannot be told: give them a `tier:` in the model's yml, or name what you want with --columns.",
        );
    }
    checkTiers(relation, [...(tier ?? []), ...(withoutTier ?? [])], new Set(tiers.values()));
    return found.filter((name) => {
        if (grain.includes(name)) return true;
        const own = tiers.get(name)!;
        return (!tier || tier.includes(own)) && !withoutTier?.includes(own);
    });
}

function namedColumns(
    relation: string,
    found: readonly string[],
    wanted: readonly string[],
): readonly string[] {
    const missing = wanted.filter((name) => !found.includes(name));
    if (missing.length === 0) return wanted;
    throw new ConfigError(
        missing.map((name) => {
            const near = nearestNames(name, found);
            const hint = near.length > 0 ? `; near: ${near.join(", ")}` : "";
            return { message: `${relation} has no column ${name}${hint}` };
        }),
    );
}

function checkTiers(
    relation: string,
    wanted: readonly string[],
    known: ReadonlySet<string | undefined>,
): void {
    const unknown = wanted.filter((name) => !known.has(name));
    if (unknown.length === 0) return;
    const allowed = [...known].filter((name) => name !== undefined).sort();
    throw new ConfigError(
        `No column of ${relation} has the tier ${unknown.join(", ")}; its tiers are ${allowed.join(", ")}.`,
    );
}
