import { extractFromFiles } from "./extract-files.ts";
import { extractFromPostgres } from "./extract-postgres.ts";
import type { Extracted, ExtractOptions, FilesSource, PostgresSource } from "./extraction.ts";

/**
 * Fills `sources.<name>` in the warehouse for every source of the project: the declared columns, in their
 * order, in their types. What does not fit is an error that names it, never a value that was bent.
 */
export async function extractSources(
    options: ExtractOptions & { readonly connection: PostgresSource | FilesSource },
): Promise<Extracted> {
    const { connection, ...rest } = options;
    return connection.type === "postgres"
        ? extractFromPostgres({ ...rest, connection })
        : extractFromFiles({ ...rest, connection });
}
