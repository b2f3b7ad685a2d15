import { withClient } from "../../runner/postgres/connect.ts";
import { openCopy } from "../../runner/postgres/copy-stream.ts";
import { Random } from "../world/random.ts";
import { WorldRows } from "../world/rows.ts";
import { simulateWorld, type WorldSettings } from "../world/simulate.ts";
import { type BinaryRows, binaryHeader, binaryTrailer } from "./binary-copy.ts";
import { completeTable, createLoadingTables, loadingSchema, takePlace } from "./schema.ts";
import { sourceTables } from "./tables.ts";

/** Bytes that are gathered before they are sent. */
const pieceBytes = 512 * 1024;

export interface LoadedRows {
    readonly races: number;
    readonly results: number;
    readonly sectionals: number;
}

/** The rows of a world as they are sent, table by table in pieces. */
export interface WorldPiece {
    readonly table: number;
    readonly bytes: Buffer;
}

/** Simulates a world and says it in rows; the same settings give the same bytes. */
export function* worldPieces(settings: WorldSettings): Generator<WorldPiece> {
    // Chance of its own, so that a change to what rows look like leaves the races as they are.
    const rows = new WorldRows(new Random(settings.seed + 1));
    const tables: readonly BinaryRows[] = [rows.races, rows.results, rows.sectionals];
    for (const races of simulateWorld(settings)) {
        for (const race of races) rows.add(race);
        for (const [table, { bytes }] of tables.entries()) {
            if (bytes >= pieceBytes) yield { table, bytes: tables[table]!.take() };
        }
    }
    for (const [table, written] of tables.entries()) yield { table, bytes: written.take() };
}

/** Streams a simulated world into the source tables, one COPY a table at the same time. */
export async function loadWorld(
    url: string,
    settings: WorldSettings,
    options: { readonly signal?: AbortSignal } = {},
): Promise<LoadedRows> {
    const session = { url, applicationName: "sandbox", ...(options.signal && { signal: options.signal }) };
    return withClient(session, (races) =>
        withClient(session, (results) =>
            withClient(session, async (sectionals) => {
                await createLoadingTables(races);
                const clients = [races, results, sectionals];
                const copies = await Promise.all(
                    sourceTables.map(({ name }, table) =>
                        openCopy(
                            clients[table]!,
                            `copy ${loadingSchema}.${name} from stdin with (format binary)`,
                        ),
                    ),
                );
                try {
                    await Promise.all(copies.map((copy) => copy.write(binaryHeader)));
                    for (const { table, bytes } of worldPieces(settings)) {
                        options.signal?.throwIfAborted();
                        await copies[table]!.write(bytes);
                    }
                    await Promise.all(copies.map((copy) => copy.write(binaryTrailer)));
                } catch (error) {
                    await Promise.all(copies.map((copy) => copy.abort()));
                    throw error;
                }
                const [raceRows, resultRows, sectionalRows] = await Promise.all(
                    copies.map((copy) => copy.end()),
                );
                await completeTable(races, sourceTables[0]!);
                await Promise.all([
                    completeTable(results, sourceTables[1]!),
                    completeTable(sectionals, sourceTables[2]!),
                ]);
                await takePlace(races, { ...settings, kind: "simulated" });
                return { races: raceRows!, results: resultRows!, sectionals: sectionalRows! };
            }),
        ),
    );
}
