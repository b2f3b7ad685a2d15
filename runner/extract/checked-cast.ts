import { isNumberType } from "../project/column-types.ts";

/** DuckDB's expressions for a value of a file. `isExact` is only asked where the value is not NULL. */
export interface CheckedCast {
    readonly value: string;
    readonly isExact: string;
}

/** What a column of a file holds, as far as casts care. */
type Family = "text" | "number" | "timestamp" | "same";

/**
 * The way from a file's column into its declared type, or `undefined` where there is none. DuckDB's own casts round and
 * cut without a word ('1.5' as smallint is 2, a timestamp as date loses its time), so each is compared with what it
 * came from.
 */
export function checkedCast(
    expression: string,
    foundType: string,
    declared: string,
): CheckedCast | undefined {
    const family = familyOf(foundType, declared);
    if (!family) return undefined;
    const value = `try_cast(${expression} as ${declared})`;
    const isThere = `${value} is not null`;
    if (declared === "varchar") return { value: `cast(${expression} as varchar)`, isExact: "true" };
    if (declared === "interval" && family !== "same") return secondsOrClock(expression, family);
    if (/^(u?(tiny|small|big|huge)?int(eger)?|decimal)/.test(declared)) {
        if (family !== "text") return { value, isExact: `coalesce(${value} = ${expression}, false)` };
        const number = `try_cast(${expression} as double)`;
        return { value, isExact: `coalesce(cast(${value} as double) = ${number}, false)` };
    }
    if (declared === "date" && family !== "same") {
        return { value, isExact: `coalesce(try_cast(${expression} as timestamp) = ${value}, false)` };
    }
    if (declared.startsWith("time") && family === "text") {
        return { value, isExact: `${isThere} and not ${hasMoreThanMicroseconds(expression)}` };
    }
    return { value, isExact: isThere };
}

/** What people may write, for messages. */
export function allowedForms(declared: string): string {
    switch (declared) {
        case "interval":
            return "seconds (13.85), MM:SS.sss, HH:MM:SS.sss, or such as 1 day 02:03:04";
        case "date":
            return "YYYY-MM-DD";
        case "timestamp":
        case "timestamptz":
            return "YYYY-MM-DD HH:MM:SS, with or without a fraction of up to 6 digits and an offset";
        case "boolean":
            return "true and false";
        default:
            return `values that ${declared} holds exactly`;
    }
}

/** Seconds, `MM:SS.sss` (which a cast refuses), or what a cast takes. `MM:SS` without a fraction would be hours. */
function secondsOrClock(expression: string, family: Family): CheckedCast {
    const decimal = `try_cast(${expression} as decimal(18, 6))`;
    const seconds = `to_microseconds(cast(${decimal} * 1000000 as bigint))`;
    if (family === "number") {
        return { value: seconds, isExact: `coalesce(${decimal} = ${expression}, false)` };
    }
    const clock = `case when regexp_full_match(${expression}, '\\s*\\d+:\\d\\d\\.\\d+\\s*') then '00:' || trim(${expression}) else ${expression} end`;
    const cast = `try_cast(${clock} as interval)`;
    return {
        value: `case when ${decimal} is not null then ${seconds} else ${cast} end`,
        // The regular expression is dear: the usual plain seconds never get there.
        isExact: `case when ${decimal} is not null then coalesce(cast(${decimal} as double) = try_cast(${expression} as double), false) else ${cast} is not null and not ${hasMoreThanMicroseconds(expression)} end`,
    };
}

function hasMoreThanMicroseconds(expression: string): string {
    return `regexp_matches(${expression}, '\\.\\d{6}\\d*[1-9]')`;
}

/** `undefined` where DuckDB has no cast that makes sense. */
function familyOf(foundType: string, declared: string): Family | undefined {
    const found = foundType.toLowerCase();
    if (found === "varchar" || found.startsWith("enum")) return "text";
    const isNumber = isNumberType(found);
    const wantsNumber = isNumberType(declared);
    if (declared === "varchar") return "same";
    if (isNumber) return wantsNumber || declared === "interval" ? "number" : undefined;
    if (wantsNumber) return undefined;
    if (found.startsWith("timestamp") || found === "date") {
        const wantsTime = declared === "date" || declared.startsWith("timestamp");
        return wantsTime ? (found === declared ? "same" : "timestamp") : undefined;
    }
    return found === declared ? "same" : undefined;
}
