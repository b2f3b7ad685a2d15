/** How a value moves with the length of the history that it is made from. */
export interface Growth {
    /** That it grows with: 1 of a count, 0 of a rate, and of what is of one row. */
    readonly power: number;
    /** More than constants and counts are in it. */
    readonly isData: boolean;
    /** What grows was added to what does not: where it changes its sign is a length, as of `runs - 30 * weight`. */
    readonly isMixed: boolean;
    /** Of which rows what grows was counted. */
    readonly breadth: Breadth;
    /** Of a constant, where it is a number. */
    readonly value?: number | undefined;
}

/** A history of one's own, all rows, or histories of several, of which it is the longest, a mean or the like. */
export const Breadth = { own: 0, all: 1, several: 2 } as const;
export type Breadth = (typeof Breadth)[keyof typeof Breadth];

/** Powers beyond say nothing more. */
const highest = 3;

const clamped = (power: number) => Math.max(-highest, Math.min(highest, power));

export const constant: Growth = { power: 0, isData: false, isMixed: false, breadth: Breadth.own };
export const count: Growth = { ...constant, power: 1 };
export const data: Growth = { ...constant, isData: true };

export const isConstant = ({ power, isData, isMixed }: Growth) => power === 0 && !isData && !isMixed;
const isOfRow = ({ power, isData }: Growth) => power === 0 && isData;
export const isLong = ({ power, isMixed }: Growth) => power !== 0 || isMixed;

/**
 * Whether a history's length meets one that is not its own: a slice holds the one, and the other not as long as it is.
 */
const isUneven = (values: readonly Growth[]) =>
    new Set(values.filter(({ power }) => power !== 0).map(({ breadth }) => breadth)).size > 1;

/** Whether what grows meets what does not, or grows otherwise. */
const isMixture = (values: readonly Growth[]) =>
    (values.some(isLong) && values.some(isOfRow)) || isUneven(values);

/** Whether there is a length in it, when these are held against each other, that only the data tell. */
export const isLimit = (values: readonly Growth[]) =>
    values.some(({ power, isData, isMixed }) => isMixed || (power !== 0 && isData)) || isMixture(values);

/** Of what is one of these values, or made of them all. */
export const either = (values: readonly Growth[]): Growth => ({
    power: values.reduce((most, { power }) => (Math.abs(power) > Math.abs(most) ? power : most), 0),
    isData: values.some(({ isData }) => isData),
    isMixed: values.some(({ isMixed }) => isMixed),
    breadth: values.reduce<Breadth>((most, { breadth }) => (breadth > most ? breadth : most), Breadth.own),
});

export function sum(values: readonly Growth[]): Growth {
    const all = either(values);
    return { ...all, isMixed: all.isMixed || isMixture(values) };
}

export function product([one = constant, other = constant]: readonly Growth[], sign: 1 | -1): Growth {
    const all = either([one, other]);
    const power = one.power + sign * other.power;
    // A rate is made of two counts.
    const isData = all.isData || (power === 0 && isLong(one));
    const isMixed = all.isMixed || (power === 0 && isUneven([one, other]));
    return { ...all, power: clamped(power), isData, isMixed };
}

export function power([base = constant, exponent = constant]: readonly Growth[]): Growth {
    const raisedPower = clamped(base.power * (exponent.value ?? 1));
    return { ...either([base, exponent]), power: raisedPower };
}
