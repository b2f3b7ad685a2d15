import { expect, test } from "vitest";
import { createPairwiseElo, type DayOfStarters, type EloSettings } from "../../macros/pairwise-elo.ts";

const plain: EloSettings = {
    first: 1200,
    k: 32,
    boost: 0,
    boostRaces: 5,
    marginScale: 0,
    marginCap: 15,
    transfer: 0.5,
};

/** [race, entity, place (0: did not finish), group, margin, has run] */
type Starter = readonly [number, number, number, number?, number?, boolean?];

function dayOf(day: number, starters: readonly Starter[]): DayOfStarters {
    return {
        day,
        count: starters.length,
        race: Int32Array.from(starters, ([race]) => race),
        entity: Int32Array.from(starters, ([, entity]) => entity),
        position: Int32Array.from(starters, ([, , place]) => place),
        group: Int32Array.from(starters, ([, , , group]) => group ?? -1),
        margin: Float64Array.from(starters, ([, , , , margin]) => margin ?? Number.NaN),
        hasRun: Uint8Array.from(starters, ([, , , , , hasRun]) => (hasRun === false ? 0 : 1)),
    };
}

/** Ratings before and after each day, and the number of rated races before it. */
function rateDays(settings: EloSettings, days: readonly (readonly Starter[])[]) {
    const elo = createPairwiseElo(settings);
    return days.map((starters, index) => {
        const { before, after, races } = elo.rateDay(dayOf(index, starters));
        return {
            before: [...before.subarray(0, starters.length)],
            after: [...after.subarray(0, starters.length)],
            races: [...races.subarray(0, starters.length)],
        };
    });
}

test("a race of equals gives each place its share of K", () => {
    const [day] = rateDays(plain, [
        [
            [0, 1, 1],
            [0, 2, 2],
            [0, 3, 3],
        ],
    ]);
    expect(day).toEqual({ before: [1200, 1200, 1200], after: [1216, 1200, 1184], races: [0, 0, 0] });
});

test("the expectation is that of Elo: 400 points are ten to one", () => {
    const [, second] = rateDays({ ...plain, k: 400 }, [
        [
            [0, 1, 1],
            [0, 2, 2],
        ],
        [
            [0, 1, 2],
            [0, 2, 1],
        ],
    ]);
    // 1400 against 1000: expected 10/11.
    expect(second?.after[0]).toBeCloseTo(1400 - (400 * 10) / 11, 9);
    expect(second?.after[1]).toBeCloseTo(1000 + (400 * 10) / 11, 9);
    expect(second?.races).toEqual([1, 1]);
});

test("a dead heat is half a win for each", () => {
    const [day] = rateDays({ ...plain, marginScale: 2 }, [
        [
            [0, 1, 1, -1, 0],
            [0, 2, 1, -1, 0],
        ],
    ]);
    expect(day?.after).toEqual([1200, 1200]);
});

test("ratings of a day come from its morning, whatever the order of its races", () => {
    const first: readonly Starter[] = [
        [0, 1, 1],
        [0, 2, 2],
    ];
    const second: readonly Starter[] = [
        [1, 1, 2],
        [1, 3, 1],
    ];
    const [forward] = rateDays(plain, [[...first, ...second]]);
    const [backward] = rateDays(plain, [[...second, ...first]]);
    expect(forward?.before).toEqual([1200, 1200, 1200, 1200]);
    expect(forward?.after).toEqual([1200, 1184, 1200, 1216]);
    expect(backward?.after).toEqual([1200, 1216, 1200, 1184]);
});

test("who does not finish keeps the rating, and a race with one finisher is not rated", () => {
    const [day, next] = rateDays(plain, [
        [
            [0, 1, 1],
            [0, 2, 2],
            [0, 3, 0],
            [1, 4, 1],
            [1, 5, 0],
        ],
        [
            [0, 3, 0],
            [0, 4, 0],
        ],
    ]);
    expect(day?.after).toEqual([1216, 1184, 1200, 1200, 1200]);
    expect(next?.races).toEqual([0, 0]);
});

test("a race to come changes nothing and is rated like the morning", () => {
    const [, next] = rateDays(plain, [
        [
            [0, 1, 1],
            [0, 2, 2],
        ],
        [
            [0, 1, 0, -1, Number.NaN, false],
            [0, 9, 0, -1, Number.NaN, false],
        ],
    ]);
    expect(next).toEqual({ before: [1216, 1200], after: [1216, 1200], races: [1, 0] });
});

test("the boost wears off with the number of rated races", () => {
    const [day] = rateDays({ ...plain, boost: 1 }, [
        [
            [0, 1, 1],
            [0, 2, 2],
        ],
    ]);
    expect(day?.after).toEqual([1232, 1168]);
});

test("margins count by a logistic of the difference, capped, and only where they agree with the places", () => {
    const settings = { ...plain, marginScale: 2 };
    const winBy = (margin: number, places: readonly [number, number] = [1, 2]) =>
        rateDays(settings, [
            [
                [0, 1, places[0], -1, 0],
                [0, 2, places[1], -1, margin],
            ],
        ])[0]?.after[0];
    expect(winBy(2)).toBeCloseTo(1200 + 32 * (1 / (1 + Math.exp(-1)) - 0.5), 9);
    expect(winBy(40)).toBe(winBy(15));
    expect(winBy(Number.NaN)).toBe(1216);
    // Second by two lengths behind a third: the places decide.
    expect(
        rateDays(settings, [
            [
                [0, 1, 2, -1, 5],
                [0, 2, 3, -1, 3],
            ],
        ])[0]?.after[0],
    ).toBe(1216);
});

test("a horse comes to a new country with half of what it had, fixed by its first start there", () => {
    const home = 1;
    const abroad = 2;
    const days = rateDays({ ...plain, k: 400 }, [
        [
            [0, home, 1, 7],
            [0, 5, 2, 8],
        ],
        // Declared abroad, and the race is not run: no start.
        [[0, abroad, 0, 7, Number.NaN, false]],
        [
            [0, home, 2, 7],
            [0, 5, 1, 8],
        ],
        [[0, abroad, 0, 7]],
        [
            [0, home, 1, 7],
            [0, 5, 2, 8],
        ],
        [[0, abroad, 0, 7]],
    ]);
    const afterTwo = days[2]!.after[0]!;
    expect(days[1]?.before).toEqual([1300]);
    expect(days[3]?.before).toEqual([1200 + (afterTwo - 1200) / 2]);
    expect(days[3]?.races).toEqual([0]);
    expect(days[5]?.before).toEqual(days[3]?.before);
});

test("a stable does not play against itself, and changes by the mean of its runners", () => {
    const [day] = rateDays(plain, [
        [
            [0, 1, 1],
            [0, 1, 3],
            [0, 2, 2],
        ],
    ]);
    expect(day).toEqual({ before: [1200, 1200, 1200], after: [1200, 1200, 1200], races: [0, 0, 0] });
    const [alone] = rateDays(plain, [
        [
            [0, 1, 1],
            [0, 1, 2],
        ],
    ]);
    expect(alone?.after).toEqual([1200, 1200]);
});

test("starters without an entity take no part", () => {
    const [day] = rateDays(plain, [
        [
            [0, -1, 1],
            [0, 1, 2],
            [0, 2, 3],
        ],
    ]);
    expect(day?.before[0]).toBeNaN();
    expect(day?.after.slice(1)).toEqual([1216, 1184]);
});
