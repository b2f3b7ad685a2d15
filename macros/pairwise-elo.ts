/** What a rating is made with; every field is a variable of the project. */
export interface EloSettings {
    /** Rating of an entity of which nothing is known. */
    readonly first: number;
    /** Points at stake in a race. */
    readonly k: number;
    /** K is multiplied by 1 + boost * e^(-n / boostRaces) for an entity with n rated races. 0: no boost. */
    readonly boost: number;
    readonly boostRaces: number;
    /** Scale in lengths of the logistic that turns a difference in margin into a score; 0: places only. */
    readonly marginScale: number;
    /** Margins above this many lengths count as this many. */
    readonly marginCap: number;
    /** Share of its distance from `first` that an entity takes along into a new location. */
    readonly transfer: number;
}

/** The starters of one day, races in one piece each. Arrays may be longer than `count`. */
export interface DayOfStarters {
    /** Days since 1970-01-01. */
    readonly day: number;
    readonly count: number;
    /** Any number that changes from race to race. */
    readonly race: Int32Array;
    /** Key of the rated entity in its location; -1: none, such a starter takes no part. */
    readonly entity: Int32Array;
    /** Key of the same entity across locations; -1: ratings are not carried from elsewhere. */
    readonly group: Int32Array;
    /** 1 in a race that has been run. */
    readonly hasRun: Uint8Array;
    /** Place; 0: did not finish. */
    readonly position: Int32Array;
    /** Lengths behind the winner; NaN: unknown. */
    readonly margin: Float64Array;
}

/** One value a starter, overwritten by the next day. */
export interface DayOfRatings {
    /** Rating on the morning of the day; NaN where there is no entity. */
    readonly before: Float64Array;
    /** Rating after all races of the day. */
    readonly after: Float64Array;
    /** Rated races before the day. */
    readonly races: Int32Array;
}

export interface PairwiseElo {
    /** Days must come in ascending order, each once. */
    rateDay(starters: DayOfStarters): DayOfRatings;
}

/**
 * Elo over every pair of finishers of a race. A whole day is rated from the ratings of its morning, so that no
 * result of the day flows into another, and the order of its races does not matter.
 *
 * An entity with several starters in one race (a stable) does not play against itself; its change is the mean over
 * its starters. A race in which fewer than two entities finish is not rated.
 */
export function createPairwiseElo(settings: EloSettings): PairwiseElo {
    // By entity key.
    let rating = new Float64Array(1024).fill(Number.NaN);
    let rated = new Int32Array(1024);
    let lastStart = new Int32Array(1024);
    let change = new Float64Array(1024);
    let newlyRated = new Int32Array(1024);
    /** The entities of a group that have started, one a location. */
    const started = new Map<number, number[]>();

    let before = new Float64Array(0);
    let after = new Float64Array(0);
    let races = new Int32Array(0);
    const field = new Field();

    function makeRoom(entity: number): void {
        if (entity < rating.length) return;
        const length = Math.max(entity + 1, rating.length * 2);
        const grown = new Float64Array(length).fill(Number.NaN);
        grown.set(rating);
        rating = grown;
        rated = extend(rated, length);
        lastStart = extend(lastStart, length);
        newlyRated = extend(newlyRated, length);
        const changes = new Float64Array(length);
        changes.set(change);
        change = changes;
    }

    /** The rating of the location of the latest start elsewhere, half-way back to the first; ties: the lower key. */
    function firstRating(entity: number, group: number): number {
        let latest = -1;
        for (const other of started.get(group) ?? []) {
            if (other === entity) continue;
            const later = latest < 0 || lastStart[other]! > lastStart[latest]!;
            if (later || (lastStart[other] === lastStart[latest] && other < latest)) latest = other;
        }
        return latest < 0
            ? settings.first
            : settings.first + settings.transfer * (rating[latest]! - settings.first);
    }

    function readMorning({ count, entity, group }: DayOfStarters): void {
        for (let row = 0; row < count; row++) {
            const key = entity[row]!;
            if (key < 0) {
                before[row] = Number.NaN;
                races[row] = 0;
                continue;
            }
            makeRoom(key);
            const known = rating[key]!;
            before[row] = Number.isNaN(known) ? firstRating(key, group[row]!) : known;
            races[row] = rated[key]!;
        }
    }

    /** Adds the changes of one race to those of the day. */
    function rateRace(starters: DayOfStarters, from: number, to: number): void {
        field.clear(to - from);
        for (let row = from; row < to; row++) {
            const key = starters.entity[row]!;
            if (key >= 0 && starters.position[row]! > 0) {
                field.add(key, before[row]!, starters.position[row]!, starters.margin[row]!, settings);
            }
        }
        for (let one = 0; one < field.size; one++) {
            const score = field.scoreOf(one);
            if (score === undefined) continue;
            const key = field.entity[one]!;
            const stake = settings.k * (1 + settings.boost * Math.exp(-rated[key]! / settings.boostRaces));
            change[key] = change[key]! + (stake * score) / field.startersOf(key);
            if (field.isFirstOf(one)) newlyRated[key] = newlyRated[key]! + 1;
        }
    }

    function closeDay({ day, count, entity, group, hasRun }: DayOfStarters): void {
        for (let row = 0; row < count; row++) {
            const key = entity[row]!;
            if (key < 0 || hasRun[row] === 0) continue;
            // A first start fixes the first rating, whether or not it changes on this day.
            if (Number.isNaN(rating[key]!)) {
                rating[key] = before[row]!;
                if (group[row]! >= 0) {
                    const others = started.get(group[row]!);
                    if (others) others.push(key);
                    else started.set(group[row]!, [key]);
                }
            }
            lastStart[key] = day;
            rating[key] = rating[key]! + change[key]!;
            rated[key] = rated[key]! + newlyRated[key]!;
            change[key] = 0;
            newlyRated[key] = 0;
        }
        for (let row = 0; row < count; row++) {
            const key = entity[row]!;
            after[row] = key < 0 || Number.isNaN(rating[key]!) ? before[row]! : rating[key]!;
        }
    }

    return {
        rateDay(starters) {
            if (before.length < starters.count) {
                before = new Float64Array(starters.count * 2);
                after = new Float64Array(starters.count * 2);
                races = new Int32Array(starters.count * 2);
            }
            readMorning(starters);
            for (let from = 0, to = 1; from < starters.count; from = to++) {
                while (to < starters.count && starters.race[to] === starters.race[from]) to++;
                if (starters.hasRun[from] === 1) rateRace(starters, from, to);
            }
            closeDay(starters);
            return { before, after, races };
        },
    };
}

/** The finishers of one race. */
class Field {
    size = 0;
    entity = new Int32Array(64);
    private strength = new Float64Array(64);
    private place = new Int32Array(64);
    private lengths = new Float64Array(64);
    private nearness = new Float64Array(64);
    private hasMargins = true;

    clear(starters: number): void {
        this.size = 0;
        if (starters <= this.entity.length) return;
        this.entity = new Int32Array(starters);
        this.strength = new Float64Array(starters);
        this.place = new Int32Array(starters);
        this.lengths = new Float64Array(starters);
        this.nearness = new Float64Array(starters);
    }

    add(entity: number, rating: number, position: number, margin: number, settings: EloSettings): void {
        const index = this.size++;
        this.entity[index] = entity;
        // 1 / (1 + 10^((Rj - Ri) / 400)) is si / (si + sj): one power a runner, none a pair. Taken from the
        // first rating, so that no power overflows.
        this.strength[index] = 10 ** ((rating - settings.first) / 400);
        this.place[index] = position;
        const lengths = position === 1 ? 0 : Math.min(Math.max(margin, 0), settings.marginCap);
        this.lengths[index] = lengths;
        this.hasMargins = settings.marginScale > 0;
        this.nearness[index] = Math.exp(-lengths / settings.marginScale);
    }

    /** Mean over the opponents of score less expectation; undefined without opponents. */
    scoreOf(one: number): number | undefined {
        let sum = 0;
        let opponents = 0;
        for (let other = 0; other < this.size; other++) {
            if (this.entity[other] === this.entity[one]) continue;
            opponents++;
            sum +=
                this.scoreAgainst(one, other) -
                this.strength[one]! / (this.strength[one]! + this.strength[other]!);
        }
        return opponents === 0 ? undefined : sum / opponents;
    }

    private scoreAgainst(one: number, other: number): number {
        const ahead = this.place[other]! - this.place[one]!;
        if (ahead === 0) return 0.5;
        if (this.hasMargins) {
            // Unknown margins (NaN) and margins that contradict the places fail this comparison.
            const agrees =
                ahead > 0
                    ? this.lengths[one]! <= this.lengths[other]!
                    : this.lengths[one]! >= this.lengths[other]!;
            if (agrees) return this.nearness[one]! / (this.nearness[one]! + this.nearness[other]!);
        }
        return ahead > 0 ? 1 : 0;
    }

    startersOf(entity: number): number {
        let count = 0;
        for (let index = 0; index < this.size; index++) if (this.entity[index] === entity) count++;
        return count;
    }

    isFirstOf(one: number): boolean {
        return this.entity.indexOf(this.entity[one]!) === one;
    }
}

function extend(values: Int32Array, length: number): Int32Array<ArrayBuffer> {
    const grown = new Int32Array(length);
    grown.set(values);
    return grown;
}
