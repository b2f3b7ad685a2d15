/** An identifier as SQL wants it, for DuckDB and Postgres alike. */
export function quoteName(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal; for Postgres with standard_conforming_strings on, its default. */
export function quoteText(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}

/** Known names that look like a misspelt one, nearest first, at most three. */
export function nearestNames(name: string, known: Iterable<string>): readonly string[] {
    const limit = name.length < 3 ? 1 : Math.max(2, Math.floor(name.length / 3));
    return [...known]
        .map((candidate) => ({
            candidate,
            distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
        }))
        .filter(
            ({ candidate, distance }) => distance <= limit || (name.length > 2 && candidate.includes(name)),
        )
        .sort((one, other) => one.distance - other.distance || one.candidate.localeCompare(other.candidate))
        .slice(0, 3)
        .map(({ candidate }) => candidate);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(one: string, other: string): number {
    let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (let row = 1; row <= one.length; row++) {
        const current = [row];
        for (let column = 1; column <= other.length; column++) {
            const change = one[row - 1] === other[column - 1] ? 0 : 1;
            current.push(
                Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + change),
            );
        }
        previous = current;
    }
    return previous[other.length]!;
}

const part = '(?:"(?:[^"]|"")*"|[\\w$]+)';
/** A pattern for a name as Postgres prints it, qualified or not, quoted where it must be. */
export const printedName = `${part}(?:\\.${part})?`;
