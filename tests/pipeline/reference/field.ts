import type { Value } from "./source-rows.ts";
import type { Starter } from "./starters.ts";

/** Prices against those of the same race. */
export function marketColumns(starter: Starter, field: readonly Starter[]): Record<string, Value> {
    const odds = starter.winOdds;
    const prices = field.map(({ winOdds }) => winOdds).filter((value) => value !== null);
    if (odds === null)
        return {
            win_odds: null,
            odds_implied_probability: null,
            market_probability: null,
            odds_rank_in_race: null,
            odds_percentile_in_race: null,
            is_favorite: null,
            is_longshot: null,
        };
    const sum = prices.reduce((total, price) => total + 1 / price, 0);
    const rank = 1 + prices.filter((price) => price < odds).length;
    return {
        win_odds: odds,
        odds_implied_probability: 1 / odds,
        // A sum over a part of the starters is not the race's.
        market_probability: prices.length === field.length ? 1 / odds / sum : null,
        odds_rank_in_race: rank,
        odds_percentile_in_race: percentile(prices.filter((price) => price > odds).length, prices.length),
        is_favorite: rank === 1,
        is_longshot: odds > 20,
    };
}

/** percent_rank() of the last as 0: the share of the others that are worse. Alone is best. */
export function percentile(worse: number, values: number): number {
    return values < 2 ? 1 : worse / (values - 1);
}
