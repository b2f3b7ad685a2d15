import type { Random } from "./random.ts";
import { type Country, countryShares, type Track, tracks } from "./tracks.ts";

const millisecondsPerDay = 86_400_000;
/** Sunday to Saturday. */
const weekdayShares = [1.15, 0.5, 0.6, 1.3, 0.8, 0.95, 1.7];
const sunday = 0;
const wednesday = 3;
const saturday = 6;

export interface PlannedMeeting {
    readonly day: number;
    readonly track: Track;
    readonly races: number;
    readonly isUpcoming: boolean;
}

/** `2026-11-23` as days since 1970-01-01. */
export function toDay(date: string): number {
    return Date.parse(`${date}T00:00:00Z`) / millisecondsPerDay;
}

export function toDate(day: number): string {
    return new Date(day * millisecondsPerDay).toISOString().slice(0, 10);
}

/** Days of history for so many races: a small world is short rather than empty. */
export function spanOf(races: number): number {
    return Math.max(150, Math.round(365.25 * 6 * Math.sqrt(races / 50_000)));
}

/** Exactly `races` races: history up to the day before `today`, and the week that begins with it. */
export function* planMeetings(
    random: Random,
    { races, today }: { readonly races: number; readonly today: number },
): Generator<PlannedMeeting> {
    const span = spanOf(races);
    const perDay = races / (span + 7);
    const upcoming = Math.max(1, Math.min(Math.round(perDay * 7), Math.ceil(races / 2)));
    const last = today - 1;
    let left = races - upcoming;
    let due = 0;
    for (let day = today - span; day < today; day++) {
        due += perDay * weekdayShares[weekday(day)]!;
        const isLeapDay = toDate(day).endsWith("-02-29");
        const used = new Set<Track>();
        while (left > 0 && (due >= 5 || (isLeapDay && used.size === 0) || day === last)) {
            const meeting = plan(random, day, Math.min(left, random.between(6, 10)), used);
            if (meeting === undefined) break;
            due -= meeting.races;
            left -= meeting.races;
            yield { ...meeting, isUpcoming: false };
        }
    }
    left += upcoming;
    for (let day = today; left > 0; day = day === today + 6 ? today : day + 1) {
        const meeting = plan(random, day, Math.min(left, random.between(6, 10)), new Set());
        if (meeting === undefined) continue;
        left -= meeting.races;
        yield { ...meeting, isUpcoming: true };
    }
}

function plan(
    random: Random,
    day: number,
    races: number,
    used: Set<Track>,
): { readonly day: number; readonly track: Track; readonly races: number } | undefined {
    for (let attempt = 0; attempt < 20; attempt++) {
        const country = isHongKongDay(day) && random.chance(0.3) ? "HK" : drawCountry(random);
        if (country === "HK" && !isHongKongDay(day)) continue;
        const choice = tracks.filter((track) => isOpen(track, country, day) && !used.has(track));
        if (choice.length === 0) continue;
        const track = random.pick(choice);
        used.add(track);
        return { day, track, races };
    }
    return undefined;
}

/** The big tracks race at the weekend and in the middle of the week, the small ones on the other days. */
function isOpen(track: Track, country: Country, day: number): boolean {
    if (track.country !== country) return false;
    if (country === "HK") return (track.names[0] === "Happy Valley") === (weekday(day) === wednesday);
    if (track.country !== "AU") return true;
    return weekday(day) === saturday
        ? track.grade >= 2
        : weekday(day) === wednesday || track.grade <= 2 || weekday(day) === sunday;
}

function drawCountry(random: Random): Country {
    let left = random.unit();
    for (const [country, share] of countryShares) {
        left -= share;
        if (left < 0) return country;
    }
    return "AU";
}

function isHongKongDay(day: number): boolean {
    return weekday(day) === sunday || weekday(day) === wednesday;
}

function weekday(day: number): number {
    return (day + 4) % 7;
}
