import { quoteText } from "../../names.ts";
import type { Warehouse } from "../../warehouse/types.ts";

/** DuckDB's words for the clock. */
const clocks: Readonly<Record<string, readonly string[]>> = {
    timestamptz: ["now", "current_timestamp", "get_current_timestamp", "transaction_timestamp"],
    timestamp: ["localtimestamp", "current_localtimestamp"],
    date: ["current_date", "today"],
    time: ["current_time", "localtime", "get_current_time", "current_localtime"],
};

/**
 * Makes it the morning of a day in a scratch database: a macro goes before the engine's function of its name, and
 * SQL's words without parentheses are functions too. A value of the clock is then another one than in the full build.
 */
export async function setClock(scratch: Warehouse, day: string): Promise<void> {
    for (const [type, names] of Object.entries(clocks)) {
        for (const name of names)
            await scratch.execute(
                `create macro ${name}() as (${quoteText(`${day} 06:00:00`)}::timestamp)::${type}`,
            );
    }
    // Of one date it asks for today's inside of the engine.
    await scratch.execute(`
        create macro age(born) as system.main.age(${quoteText(day)}::timestamp, born),
            (one, other) as system.main.age(one, other)`);
}
