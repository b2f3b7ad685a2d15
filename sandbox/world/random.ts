/**
 * Numbers by seed (sfc32): the same on every machine and in every run. The simulated world knows no
 * other source of chance and no clock.
 */
export class Random {
    private a: number;
    private b: number;
    private c: number;
    private counter = 1;
    private spare: number | undefined;

    constructor(seed: number) {
        this.a = seed | 0;
        this.b = Math.floor(seed / 2 ** 32) | 0;
        this.c = 0x9e3779b9;
        // Seeds that differ in one bit begin alike otherwise.
        for (let round = 0; round < 15; round++) this.unit();
    }

    /** From 0 up to but not 1. */
    unit(): number {
        const sum = (this.a + this.b + this.counter) | 0;
        this.counter = (this.counter + 1) | 0;
        this.a = this.b ^ (this.b >>> 9);
        this.b = (this.c + (this.c << 3)) | 0;
        this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
        return (sum >>> 0) / 2 ** 32;
    }

    /** From 0 up to but not `count`. */
    integer(count: number): number {
        return Math.floor(this.unit() * count);
    }

    /** Both ends included. */
    between(lowest: number, highest: number): number {
        return lowest + this.integer(highest - lowest + 1);
    }

    chance(probability: number): boolean {
        return this.unit() < probability;
    }

    pick<T>(list: readonly T[]): T {
        return list[this.integer(list.length)]!;
    }

    /** Normal, by the polar method. */
    normal(mean = 0, deviation = 1): number {
        if (this.spare !== undefined) {
            const value = this.spare;
            this.spare = undefined;
            return mean + deviation * value;
        }
        for (;;) {
            const x = 2 * this.unit() - 1;
            const y = 2 * this.unit() - 1;
            const square = x * x + y * y;
            if (square >= 1 || square === 0) continue;
            const factor = Math.sqrt((-2 * Math.log(square)) / square);
            this.spare = y * factor;
            return mean + deviation * x * factor;
        }
    }

    /** Under this noise the chance to win is the softmax of the strengths. */
    gumbel(): number {
        return -Math.log(-Math.log(this.unit() + 2 ** -33));
    }

    shuffle<T>(list: T[]): T[] {
        for (let last = list.length - 1; last > 0; last--) {
            const other = this.integer(last + 1);
            [list[last], list[other]] = [list[other]!, list[last]!];
        }
        return list;
    }
}
