import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, QueryError } from "../../runner/errors.ts";
import { describeConnection, withClient, withTransaction } from "../../runner/postgres/connect.ts";
import { parseConnection } from "../../runner/postgres/connection-settings.ts";
import { createDatabase, type TestDatabase } from "../postgres-server.ts";

let database: TestDatabase;
beforeAll(async () => {
    database = await createDatabase("connect");
});
afterAll(() => database.drop());

const failure = async (promise: Promise<unknown>): Promise<Error> =>
    promise.then(
        () => {
            throw new Error("it did not fail");
        },
        (error) => error as Error,
    );

describe("a session", () => {
    it("prints values the same way whatever the role's defaults are", async () => {
        const role = `shopkeeper_${process.pid}`;
        await withClient({ url: database.url }, async (client) => {
            await client.query(`create role ${role} login superuser password 'open sesame'`);
            await client.query(`alter role ${role} set timezone = 'Asia/Tokyo'`);
            await client.query(`alter role ${role} set datestyle = 'German'`);
            await client.query(`alter role ${role} set extra_float_digits = -5`);
            await client.query(`alter role ${role} set statement_timeout = '5s'`);
        });
        const url = new URL(database.url);
        url.username = role;
        url.password = encodeURIComponent("open sesame");
        const { rows } = await withClient({ url: url.href, applicationName: "till" }, (client) =>
            client.query(`select timestamptz '2024-02-03 04:05:06.789+00' as at, (0.1::float8 + 0.2)::text as sum,
                interval '1 month 2 days' as span, 9007199254740993 as big, current_setting('statement_timeout') as timeout,
                current_setting('application_name') as application`),
        );
        expect(rows).toEqual([
            {
                at: "2024-02-03 04:05:06.789+00",
                sum: "0.30000000000000004",
                span: "1 mon 2 days",
                big: 9007199254740993n,
                timeout: "0",
                application: "till",
            },
        ]);
        await withClient({ url: database.url }, (client) => client.query(`drop role ${role}`));
    });

    it("reports a statement's error with SQLSTATE and offset", async () => {
        const sql = "select 'crème 🍦', flavour from pg_class";
        const error = await failure(withClient({ url: database.url }, (client) => client.query(sql)));
        expect(error).toBeInstanceOf(QueryError);
        expect((error as QueryError).failure).toMatchObject({
            engine: "postgres",
            code: "42703",
            sql,
            offset: sql.indexOf("flavour"),
        });
    });

    it("ends long before its time when interrupted, and so does its statement on the server", async () => {
        const interruption = new AbortController();
        setTimeout(() => interruption.abort(), 200);
        const started = Date.now();
        const error = await failure(
            withClient(
                { url: database.url, signal: interruption.signal, applicationName: "sleeper" },
                (client) => client.query("select pg_sleep(30)"),
            ),
        );
        expect(Date.now() - started).toBeLessThan(10_000);
        expect(error).toMatchObject({ name: "QueryError", exitCode: 130 });
        const { rows } = await withClient({ url: database.url }, (client) =>
            client.query(
                "select 1 from pg_stat_activity where application_name = 'sleeper' and state = 'active'",
            ),
        );
        expect(rows).toEqual([]);
    });

    it("commits what went well and rolls back what did not", async () => {
        await withClient({ url: database.url }, async (client) => {
            await withTransaction(client, {}, () => client.query("create table kept (id int)"));
            await failure(
                withTransaction(client, {}, async () => {
                    await client.query("create table dropped (id int)");
                    throw new Error("out of milk");
                }),
            );
            const { rows } = await client.query(
                "select to_regclass('kept')::text as kept, to_regclass('dropped') as dropped",
            );
            expect(rows).toEqual([{ kept: "kept", dropped: null }]);
        });
    });
});

describe("a connection that cannot be made", () => {
    const change = (edit: (url: URL) => void): string => {
        const url = new URL(database.url);
        edit(url);
        return url.href;
    };

    it("says that the password was refused, without saying the password", async () => {
        const url = change((it) => {
            it.password = "hunter2-and-more";
        });
        const error = await failure(withClient({ url }, async () => {}));
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(/password was refused for user postgres/);
        expect(error.message).not.toContain("hunter2");
    });

    it("names an unknown database", async () => {
        const error = await failure(
            withClient(
                {
                    url: change((it) => {
                        it.pathname = "/no_such_shop";
                    }),
                },
                async () => {},
            ),
        );
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(/database "no_such_shop" does not exist/);
    });

    it("names a host that nobody knows", async () => {
        const error = await failure(
            withClient(
                { url: "postgres://reader:secret-word@shop.invalid:5432/shop?sslmode=disable" },
                async () => {},
            ),
        );
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(/shop\.invalid/);
        expect(error.message).not.toContain("secret-word");
    });

    it("explains TLS where the server has none", async () => {
        const error = await failure(
            withClient(
                {
                    url: change((it) => {
                        it.searchParams.set("sslmode", "require");
                    }),
                },
                async () => {},
            ),
        );
        expect(error.message).toMatch(/offers no TLS.*sslmode=disable/);
    });

    it("refuses the transaction pooler with the reason", async () => {
        const error = await failure(
            withClient({ url: "postgres://reader:secret-word@shop.example:6543/shop" }, async () => {}),
        );
        expect(error.message).toMatch(/port 6543.*advisory locks.*\n.*5432/s);
    });

    it.each(["mysql://reader:secret-word@shop/shop", "postgres://reader:50%secret-word@shop/shop", "shop"])(
        "explains how a URL is written: %s",
        async (url) => {
            const error = await failure(withClient({ url }, async () => {}));
            expect(error).toBeInstanceOf(ConfigError);
            expect(error.message).toMatch(/postgres:\/\/user:password@host/);
            expect(error.message).not.toContain("secret-word");
        },
    );
});

describe("a connection string", () => {
    it("asks for verified TLS everywhere but on this machine and private networks", () => {
        const tls = (rest: string) => parseConnection(`postgres://reader@${rest}`).tls;
        expect(tls("localhost/shop")).toBe(false);
        expect(tls("10.1.2.3/shop")).toBe(false);
        expect(tls("database/shop")).toBe(false);
        expect(tls("db.shop.example/shop?sslmode=disable")).toBe(false);
        expect(tls("db.shop.example/shop")).toMatchObject({ rejectUnauthorized: true });
        expect(tls("db.shop.example/shop?sslmode=require")).toMatchObject({ rejectUnauthorized: true });
        expect(tls("localhost/shop?sslmode=verify-full")).toMatchObject({ rejectUnauthorized: true });
        expect(tls("db.shop.example/shop?sslmode=no-verify")).toMatchObject({ rejectUnauthorized: false });
        expect(() => tls("shop/shop?sslmode=perhaps")).toThrow(/sslmode=perhaps; allowed are disable/);
        expect(() => tls("db.example/shop?sslrootcert=/no/such.pem")).toThrow(/sslrootcert=.*ENOENT/);
    });

    it("reaches unix sockets and decodes its parts", () => {
        expect(parseConnection("postgres://reader@/shop?host=/run/postgresql")).toMatchObject({
            host: "/run/postgresql",
            port: 5432,
            user: "reader",
            database: "shop",
            tls: false,
        });
        expect(parseConnection("postgresql://a%40b:p%2Fw@[::1]:5433/my%20shop")).toMatchObject({
            host: "::1",
            port: 5433,
            user: "a@b",
            password: "p/w",
            database: "my shop",
        });
    });

    it("is described without its password", () => {
        expect(describeConnection("postgres://reader:secret-word@shop.example/shop?sslmode=require")).toBe(
            "postgres://reader@shop.example:5432/shop",
        );
    });
});
