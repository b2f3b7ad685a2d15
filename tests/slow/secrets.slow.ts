import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../runner/command-line.ts";
import { withLiveShop } from "../status/live-shop.ts";

/** A password with all that URLs, JSON and regular expressions make difficult. */
const password = 'p@ss/w"rd#1%$&x';
const encoded = encodeURIComponent(password);
const serviceKey = "service-key-2f8a6d0b";
const hookSecret = "hook-secret-91c4";
const modelToken = "model-token-5be0a1";

describe("secrets", () => {
    it("reach no line, error, artifact, record, status row, hook or warehouse, whatever fails", () =>
        withLiveShop(
            {
                "models/features/secret.sql":
                    'select \'{{env_var "MODEL_TOKEN"}}\' as token, {{var "broken" "1"}} as x\n',
                "profiles.yml": `
default: live
targets:
    live:
        source: { type: postgres, url: "\${SHOP_URL}", schema: shop }
        publish: { type: postgres, url: "\${SHOP_TARGET_URL}" }
        hooks: [{ on: [failure], webhook: "\${HOOK_URL:-}", timeout_seconds: 2 }]
    misplaced: { source: { type: "\${SHOP_TYPE:-files}", path: data } }
`,
            },
            async ({ root, run, query, database }) => {
                const bodies: string[] = [];
                const server = createServer((request, response) => {
                    request.on("data", (part) => bodies.push(String(part)));
                    request.on("end", () =>
                        response.writeHead(request.url!.includes("rest") ? 500 : 404).end(`no ${serviceKey}`),
                    );
                });
                await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
                const local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
                await query(
                    `create role "clerk_${new URL(database.url).pathname.slice(1)}" login password '${password.replace("'", "''")}'`,
                );
                const good = new URL(database.url);
                good.username = `clerk_${good.pathname.slice(1)}`;
                good.password = encoded;
                const at = (host: string, rest = "") => `postgres://clerk:${encoded}@${host}/shop${rest}`;
                const env = {
                    SUPABASE_URL: local,
                    SUPABASE_SERVICE_KEY: serviceKey,
                    HOOK_URL: `${local}/hook/${hookSecret}`,
                    MODEL_TOKEN: modelToken,
                    REBUILD_SERVICE_TOKEN: "service-token-00000001",
                };
                const urls = [
                    at("127.0.0.1:9"),
                    at("127.0.0.1:6543"),
                    at("no-such-host.invalid"),
                    at(good.host, "?sslmode=require"),
                    at(good.host, "?sslrootcert=/no/such/file"),
                    at(good.host),
                    `postgres://clerk:${password}@${good.host}/shop`,
                    `mysql://clerk:${encoded}@${good.host}/shop`,
                ];
                const tries = [
                    ...urls.map((url) => [["run"], { SHOP_URL: url, SHOP_TARGET_URL: url }] as const),
                    [["run"], { SHOP_URL: good.href, SHOP_TARGET_URL: good.href }] as const,
                    [["run", "--vars", "broken: no_such_column"], {}] as const,
                    [["run", "--vars", `broken: "'${password.replace('"', '\\"')}'::int"`], {}] as const,
                    [["run", "--log-format", "json", "--log-level", "debug", "--json"], {}] as const,
                    [["ls", "--target", urls[0]!], { SHOP_URL: urls[0]! }] as const,
                    [["ls", "--target", "misplaced"], { SHOP_TYPE: urls[0]! }] as const,
                    [["debug"], { SHOP_URL: urls[5]!, SHOP_TARGET_URL: urls[5]! }] as const,
                    [["status"], { SHOP_TARGET_URL: urls[0]! }] as const,
                    [["compile", "--select", "secret"], { SHOP_PASSWORD: password }] as const,
                ];
                const outcomes: Outcome[] = [];
                for (const [args, own] of tries) {
                    outcomes.push(await run(args, { env: { ...env, SHOP_PASSWORD: password, ...own } }));
                }
                server.close();
                expect(outcomes.filter(({ code }) => code !== 0).length).toBeGreaterThan(8);
                const rows = await query("select row_to_json(r)::text as text from rebuild_status r");
                const kept = await readAll(join(root, "target"));
                const everything = [
                    ...outcomes.flatMap(({ stdout, stderr }) => [stdout, stderr]),
                    ...rows.map(({ text }) => String(text)),
                    ...bodies,
                    ...kept,
                ];
                expect(kept.length).toBeGreaterThan(20);
                expect(bodies.length).toBeGreaterThan(5);
                const secrets = [
                    password,
                    encoded,
                    JSON.stringify(password).slice(1, -1),
                    serviceKey,
                    hookSecret,
                    modelToken,
                ];
                const parts = ['w"rd#1', "w%22rd%231", 'w\\"rd#1'];
                for (const secret of [...secrets, ...parts]) {
                    expect(
                        everything.filter((text) => text.includes(secret)).map((text) => text.slice(0, 2000)),
                    ).toEqual([]);
                }
                await query(`drop role "${good.username}"`);
            },
        ));
});

/** Texts under a folder; the warehouse is data, and data may be secret. */
async function readAll(folder: string): Promise<readonly string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.includes(".duckdb"));
    return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
}
