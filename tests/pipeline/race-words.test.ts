import { expect, test } from "vitest";
import { withTinyWorld } from "./tiny-world.ts";

type Text = string | null;

/** What the pipeline reads from the texts of a race, one race for each. */
function read(races: readonly Readonly<Record<string, Text>>[]) {
    const rows = races.map((texts, index) => ({
        race_id: index + 1,
        race_date: "2024-02-29",
        race_number: index + 1,
        track_name: "Randwick",
        race_distance: 1200,
        ...texts,
    }));
    return withTinyWorld({ races: rows }, ["+race_facts"], (warehouse) =>
        warehouse.rows("select * from race_facts order by race_id"),
    );
}

test("spellings and sponsors of a track lead to one track", async () => {
    const spellings = [
        ["Royal Randwick", "randwick", "AU"],
        ["RANDWICK", "randwick", "AU"],
        ["bet365 Park Kyneton", "kyneton", "AU"],
        ["Sportsbet-Ballarat Synthetic", "ballarat", "AU"],
        ["Ballarat", "ballarat", "AU"],
        ["Ladbrokes Cannon Park", "cairns", "AU"],
        ["The Valley", "moonee-valley", "AU"],
        ["Rosehill Gardens", "rosehill", "AU"],
        ["Sandown-Hillside", "sandown-hillside", "AU"],
        ["Riccarton Park Synthetic", "riccarton", "NZ"],
        ["Sha Tin", "sha-tin", "HK"],
        ["Royal Ascot", "ascot-uk", "UK"],
        ["Ascot (GB)", "ascot-uk", "UK"],
        ["Ascot", "ascot", "AU"],
        ["Nowhere Downs (NZ)", "nowhere-downs", "NZ"],
        ["Wombat Flat", "wombat-flat", "AU"],
    ] as const;
    const rows = await read(spellings.map(([track_name]) => ({ track_name })));
    expect(rows.map((row) => [row.track_name, row.track_slug, row.location])).toEqual(spellings);
});

test("a spelling that names the surface says it where the race does not", async () => {
    const rows = await read([
        { track_name: "Ballarat Synthetic" },
        { track_name: "Ballarat Synthetic", surface: "Turf" },
        { track_name: "Sha Tin", surface: "All Weather", track_condition: "GOOD" },
        { track_name: "Sha Tin", surface: "Dirt", track_condition: "WET SLOW" },
    ]);
    expect(rows.map((row) => [row.track_type, row.track_condition_numeric])).toEqual([
        ["synthetic", null],
        ["turf", null],
        ["synthetic", null],
        ["dirt", 8],
    ]);
});

test("classes stand on one scale, by the words of their country", async () => {
    const classes = [
        ["Randwick", "Group 1", 115],
        ["Randwick", "G2 WFA", 110],
        ["Sha Tin", "GROUP THREE", 105],
        ["Randwick", "Listed", 100],
        ["Randwick", "BM64", 64],
        ["Randwick", "Benchmark 78 Hcp", 78],
        ["Randwick", "Rest. 58", 58],
        ["Randwick", "RTG 0-58", 58],
        ["Randwick", "Class 1", 56],
        ["Randwick", "Class 3 Plate", 62],
        ["Randwick", "CL 6", 70],
        ["Randwick", "Maiden Plate", 50],
        ["Randwick", "2YO Fillies Hcp", null],
        ["Trentham", "R65", 65],
        ["Trentham", "Rating 72 Benchmark", 72],
        ["Sha Tin", "Class 4 (60-40)", 50],
        ["Sha Tin", "Class 1 (110-85)", 97.5],
        ["Sha Tin", "Class 1", 107],
        ["Sha Tin", "Class 1 (90+)", 107],
        ["Sha Tin", "Class 5", 30],
        ["Sha Tin", "Restricted", null],
    ] as const;
    const rows = await read(classes.map(([track_name, race_class]) => ({ track_name, race_class })));
    expect(rows.map((row) => [row.track_name, row.race_class, row.class_rating])).toEqual(classes);
});

test("ages, sexes, maidens and handicaps are read from the class", async () => {
    const rows = await read(
        [
            "2YO Fillies Hcp",
            "3YO Maiden SW",
            "3yo+ Fillies & Mares BM64",
            "4YO and Up Handicap",
            "3-4YO Colts and Geldings",
            "Class 4 (60-40)",
            "Listed",
        ].map((race_class) => ({ race_class })),
    );
    expect(
        rows.map((row) => [
            row.age_restriction,
            row.sex_restriction,
            row.is_maiden_race,
            row.is_handicap_race,
        ]),
    ).toEqual([
        ["2yo", "fillies", false, true],
        ["3yo", null, true, false],
        ["3yo+", "fillies and mares", false, true],
        ["4yo+", null, false, true],
        ["3-4yo", "colts and geldings", false, false],
        [null, null, false, true],
        [null, null, false, false],
    ]);
});

test("goings are numbers from firm to heavy, wet from five on", async () => {
    const goings = [
        ["Randwick", "Good 4", 4, false],
        ["Randwick", "HEAVY10", 10, true],
        ["Randwick", "soft (5)", 5, true],
        ["Randwick", "Good", 3.5, false],
        ["Sha Tin", "GOOD TO FIRM", 2.5, false],
        ["Sha Tin", "good to yielding", 5, true],
        ["Sha Tin", "YIELDING TO SOFT", 7, true],
        ["Sha Tin", "HEAVY", 9.5, true],
        ["York", "Good to Soft (Good in places)", 5, true],
        ["Saratoga", "Sloppy", 8, true],
        ["Randwick", "Purple", null, null],
    ] as const;
    const rows = await read(goings.map(([track_name, track_condition]) => ({ track_name, track_condition })));
    expect(
        rows.map((row) => [
            row.track_name,
            row.track_condition,
            row.track_condition_numeric,
            row.is_wet_track,
        ]),
    ).toEqual(goings);
});

test("the rail is true, or out by the first figure named", async () => {
    const rails = [
        ["RAIL - True Entire", 0, true],
        ["RAIL - Out 6m", 6, false],
        ["RAIL - +3m 1000-400, True Remainder", 3, false],
        ["RAIL - True (A course)", 0, true],
        ["RAIL - A+3 course", 3, false],
        ["RAIL - C+3 course", 12, false],
        ["soft underfoot", null, null],
        [null, null, null],
    ] as const;
    const rows = await read(rails.map(([track_info]) => ({ track_info })));
    expect(rows.map((row) => [row.rail_out_metres, row.is_rail_true])).toEqual(
        rails.map(([, metres, isTrue]) => [metres, isTrue]),
    );
});
