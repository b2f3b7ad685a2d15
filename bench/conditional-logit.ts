/** Starters of races one after the other: the rows of race r are `offsets[r]` to `offsets[r + 1]`. */
export interface Races {
    readonly offsets: Int32Array;
    /** 1 for the winner, shared out in a dead heat; 0 in the others. */
    readonly wins: Float64Array;
}

/** A range of races, the end not included. */
export interface Span {
    readonly from: number;
    readonly to: number;
}

/** One number per starter; 0 is the mean of the race. */
export type Feature = Float32Array;

/** Utility of every starter: the features weighted. */
export function utilities(features: readonly Feature[], weights: Float64Array, rows: number): Float64Array {
    const sums = new Float64Array(rows);
    features.forEach((feature, index) => {
        const weight = weights[index]!;
        if (weight !== 0) for (let row = 0; row < rows; row++) sums[row]! += weight * feature[row]!;
    });
    return sums;
}

/** Chance of every starter of a span: softmax of the utilities within its race. */
export function chances(races: Races, sums: Float64Array, span: Span): Float64Array {
    const probabilities = new Float64Array(sums.length);
    for (let race = span.from; race < span.to; race++) {
        const from = races.offsets[race]!;
        const to = races.offsets[race + 1]!;
        let highest = Number.NEGATIVE_INFINITY;
        for (let row = from; row < to; row++) highest = Math.max(highest, sums[row]!);
        let total = 0;
        for (let row = from; row < to; row++) {
            probabilities[row] = Math.exp(sums[row]! - highest);
            total += probabilities[row]!;
        }
        for (let row = from; row < to; row++) probabilities[row]! /= total;
    }
    return probabilities;
}

/** Curvature of the likelihood at equal chances; lower triangle. */
export function curvature(races: Races, features: readonly Feature[], span: Span): Float64Array {
    const size = features.length;
    const matrix = new Float64Array(size * size);
    const values = new Float64Array(size);
    const means = new Float64Array(size);
    for (let race = span.from; race < span.to; race++) {
        const from = races.offsets[race]!;
        const to = races.offsets[race + 1]!;
        means.fill(0);
        for (let row = from; row < to; row++) {
            for (let one = 0; one < size; one++) {
                values[one] = features[one]![row]!;
                means[one]! += values[one]! / (to - from);
            }
            addOuter(matrix, values, 1 / (to - from));
        }
        addOuter(matrix, means, -1);
    }
    return matrix;
}

/**
 * Ridge-penalised maximum likelihood. The curvature is taken once, at equal chances, so that every step is cheap; where
 * it is too small, as for flags of few runners with many wins, the steps are halved until they climb.
 */
export function estimate(
    races: Races,
    features: readonly Feature[],
    span: Span,
    ridge: number,
    known = curvature(races, features, span),
): Float64Array {
    const size = features.length;
    const rows = races.wins.length;
    const weights = new Float64Array(size);
    const penalised = known.slice();
    for (let one = 0; one < size; one++) penalised[one * size + one]! += ridge;
    const factor = cholesky(penalised, size);
    const [first, end] = [races.offsets[span.from]!, races.offsets[span.to]!];
    let best = Number.NEGATIVE_INFINITY;
    let scale = 1;
    let change: Float64Array = new Float64Array(size);
    for (let step = 0; step < 100; step++) {
        const probabilities = chances(races, utilities(features, weights, rows), span);
        let likelihood = 0;
        for (let one = 0; one < size; one++) likelihood -= (ridge / 2) * weights[one]! ** 2;
        for (let row = first; row < end; row++) {
            if (races.wins[row]! > 0) likelihood += races.wins[row]! * Math.log(probabilities[row]!);
        }
        if (likelihood < best) {
            scale /= 2;
            for (let one = 0; one < size; one++) weights[one]! -= scale * change[one]!;
            continue;
        }
        if (likelihood - best < 1e-6) break;
        best = likelihood;
        const gradient = new Float64Array(size);
        for (let one = 0; one < size; one++) {
            const feature = features[one]!;
            let slope = -ridge * weights[one]!;
            for (let row = first; row < end; row++)
                slope += (races.wins[row]! - probabilities[row]!) * feature[row]!;
            gradient[one] = slope;
        }
        change = solve(factor, gradient);
        for (let one = 0; one < size; one++) weights[one]! += scale * change[one]!;
    }
    return weights;
}

/** How much better than equal chances (McFadden's R2), and how often the most likely starter won. */
export function judge(races: Races, sums: Float64Array, span: Span): { r2: number; top1: number } {
    const probabilities = chances(races, sums, span);
    let model = 0;
    let equal = 0;
    let hits = 0;
    for (let race = span.from; race < span.to; race++) {
        const from = races.offsets[race]!;
        const to = races.offsets[race + 1]!;
        let best = from;
        for (let row = from; row < to; row++) {
            if (probabilities[row]! > probabilities[best]!) best = row;
            if (races.wins[row]! > 0) model += races.wins[row]! * Math.log(probabilities[row]!);
        }
        equal -= Math.log(to - from);
        if (races.wins[best]! > 0) hits++;
    }
    return { r2: 1 - model / equal, top1: hits / (span.to - span.from) };
}

/** Adds weight * v * v' to the lower triangle. */
function addOuter(matrix: Float64Array, vector: Float64Array, weight: number): void {
    const size = vector.length;
    for (let one = 0; one < size; one++) {
        const scaled = weight * vector[one]!;
        if (scaled === 0) continue;
        const start = one * size;
        for (let other = 0; other <= one; other++) matrix[start + other]! += scaled * vector[other]!;
    }
}

function cholesky(matrix: Float64Array, size: number): Float64Array {
    const lower = matrix.slice();
    for (let one = 0; one < size; one++) {
        for (let other = 0; other <= one; other++) {
            let sum = lower[one * size + other]!;
            for (let at = 0; at < other; at++) sum -= lower[one * size + at]! * lower[other * size + at]!;
            lower[one * size + other] =
                one === other ? Math.sqrt(Math.max(sum, 1e-9)) : sum / lower[other * size + other]!;
        }
    }
    return lower;
}

function solve(lower: Float64Array, right: Float64Array): Float64Array {
    const size = right.length;
    const result = right.slice();
    for (let one = 0; one < size; one++) {
        for (let at = 0; at < one; at++) result[one]! -= lower[one * size + at]! * result[at]!;
        result[one]! /= lower[one * size + one]!;
    }
    for (let one = size - 1; one >= 0; one--) {
        for (let at = one + 1; at < size; at++) result[one]! -= lower[at * size + one]! * result[at]!;
        result[one]! /= lower[one * size + one]!;
    }
    return result;
}
