import type { PostgresClient } from "../../runner/postgres/connect.ts";
import { toDate, toDay } from "../world/calendar.ts";
import { loadWorld } from "./load-world.ts";
import { withLoadingLock } from "./schema.ts";
import { sourceTables } from "./tables.ts";

export interface WorldOptions {
    readonly seed?: number;
    /** Past and upcoming races together. */
    readonly races?: number;
    /** The first of the days to come, as `2026-11-23`. Default: the clock's. */
    readonly today?: string;
    /** Simulates again whatever is there. */
    readonly replace?: boolean;
    readonly note?: (message: string) => void;
    readonly signal?: AbortSignal;
}

/** What the source tables hold. */
export interface LoadedSource {
    readonly kind: "simulated" | "folder";
    /** Of a simulated world. */
    readonly seed?: number;
    readonly races?: number;
    readonly today?: string;
    /** Of a folder. */
    readonly folder?: string;
    readonly loadedAt: Date;
    /** False where everything was there already. */
    readonly isNew: boolean;
}

/** The world that a first run sees: four years of races. */
export const defaultWorld = { seed: 1, races: 20_000 } as const;

/** The days that a world has upcoming races for; after them it is simulated anew. */
const freshDays = 6;

/**
 * Fills the source tables with a simulated world unless they hold it already. Without settings anything
 * that is there will do: a world of other settings, or files that the user loaded.
 */
export async function ensureWorld(url: string, options: WorldOptions = {}): Promise<LoadedSource> {
    const { note = () => undefined, signal } = options;
    return withLoadingLock({ url, signal }, async (client) => {
        const found = await readLoaded(client);
        const clock = toDate(Math.floor(Date.now() / 86_400_000));
        if (found && !options.replace && fits(found, options, clock)) return { ...found, isNew: false };
        const isAsked = options.replace || options.seed !== undefined || options.races !== undefined;
        // A world gone stale is continued as it was; a wish begins from the defaults.
        const before = !isAsked && found?.kind === "simulated" ? found : undefined;
        const settings = {
            seed: options.seed ?? before?.seed ?? defaultWorld.seed,
            races: options.races ?? before?.races ?? defaultWorld.races,
            today: options.today ?? clock,
        };
        const started = performance.now();
        const rows = await loadWorld(url, settings, signal && { signal });
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        note(
            `simulated a world of ${format(rows.races)} races with ${format(rows.results)} runners and ` +
                `${format(rows.sectionals)} rows of sectional times up to ${settings.today} in ${seconds}s (seed ${settings.seed})`,
        );
        return { ...(await readLoaded(client))!, isNew: true };
    });
}

function fits(found: Omit<LoadedSource, "isNew">, options: WorldOptions, clock: string): boolean {
    const isAsked = options.seed !== undefined || options.races !== undefined || options.today !== undefined;
    if (found.kind === "folder") return !isAsked;
    if (options.seed !== undefined && options.seed !== found.seed) return false;
    if (options.races !== undefined && options.races !== found.races) return false;
    if (options.today !== undefined) return options.today === found.today;
    const age = toDay(clock) - toDay(found.today ?? clock);
    return age >= 0 && age <= freshDays;
}

async function readLoaded(client: PostgresClient): Promise<Omit<LoadedSource, "isNew"> | undefined> {
    const names = sourceTables.map(({ name }) => `public.${name}`);
    const { rows } = await client.query<{
        settings: Omit<LoadedSource, "isNew" | "loadedAt">;
        loadedAt: number;
    }>(
        `select settings, extract(epoch from loaded_at)::float8 as "loadedAt" from sandbox.world
         where (select bool_and(to_regclass(name) is not null) from unnest($1::text[]) as name)`,
        [names],
    );
    return rows[0] && { ...rows[0].settings, loadedAt: new Date(rows[0].loadedAt * 1000) };
}

function format(count: number): string {
    return count.toLocaleString("en-US");
}
