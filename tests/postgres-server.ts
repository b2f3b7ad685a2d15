import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { withClient } from "../runner/postgres/connect.ts";
import { startPostgres } from "../sandbox/postgres.ts";

declare module "vitest" {
    interface ProvidedContext {
        /** The embedded Postgres of this run of vitest: superuser, database postgres. */
        readonly postgresUrl: string;
    }
}

/**
 * vitest's globalSetup: one server for all test files; each file makes a database of its own in it.
 * TEST_POSTGRES_URL, of a superuser, puts another server in its place; TEST_POSTGRES_NATIVES, a folder with `bin`
 * in it, another version's programs, such as /usr/lib/postgresql/15.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
    const other = process.env.TEST_POSTGRES_URL;
    if (other !== undefined) {
        project.provide("postgresUrl", other);
        return async () => {};
    }
    const folder = await mkdtemp(join(tmpdir(), "rebuild-tests-"));
    // Where tests run as root, the server's account has to pass.
    await chmod(folder, 0o755);
    const natives = process.env.TEST_POSTGRES_NATIVES;
    const server = await startPostgres({
        dataDirectory: join(folder, "postgres"),
        ...(natives !== undefined && { natives }),
    });
    project.provide("postgresUrl", server.url);
    return async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
    };
}

/** The server itself, of whose databases some can be shut. */
export function serverOf(): string {
    return inject("postgresUrl");
}

export interface TestDatabase {
    readonly url: string;
    drop(): Promise<void>;
}

/** An empty database of its own for a test file. The name only helps in messages: it gets a suffix. */
export async function createDatabase(name: string, server = serverOf()): Promise<TestDatabase> {
    const database = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "_")}_${randomBytes(4).toString("hex")}`;
    await withClient({ url: server }, (client) => client.query(`create database "${database}"`));
    const url = new URL(server);
    url.pathname = `/${database}`;
    return {
        url: url.href,
        drop: () =>
            withClient({ url: server }, async (client) => {
                await client.query(`drop database if exists "${database}" with (force)`);
            }),
    };
}
