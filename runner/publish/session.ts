import type { PostgresClient } from "../postgres/connect.ts";

/** Names are written out in full everywhere; row security must fail rather than hide rows from the load. */
export async function prepareSession(client: PostgresClient): Promise<void> {
    // Compiling the hundreds of expressions of a verification takes longer than to run them.
    await client.query("set search_path = ''; set row_security = off; set jit = off");
    // Where the server has it: a statement of a client that died ends soon, and its locks with it.
    await client
        .query(
            `select set_config(name, '2s', false) from pg_catalog.pg_settings where name = 'client_connection_check_interval'`,
        )
        .catch(() => undefined);
}
