import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDirectoryLock } from "../../runner/warehouse/directory-lock.ts";
import { rebuild } from "./command-line.ts";
import { type Changes, withShop } from "./shop-project.ts";

/** A day's orders of a small shop, with what CSV makes hard. */
const data: Changes = {
    "data/customers.csv": 'customer_id,customer_name,country\n1,"Ann ""A"" Lee",de\n2,Bo,\n',
    "data/shop_orders.csv": [
        "order_id,customer_id,order_date,total,status,item_1,item_2,item_3",
        "1,1,2024-01-01,120.50,PAID,100,20.50,",
        "2,1,2024-01-05,80,PAID,80,,",
        "3,2,2024-01-05,10,CANCELLED,10,,",
    ].join("\n"),
    "models/marts/customer_facts.yml": `
model: customer_facts
grain: customer_id
columns:
    customer_id: { type: bigint }
    order_days: { type: usmallint }
    large_share: { type: double }
    currency: { type: varchar }
publish: { primary_key: [customer_id] }
`,
    "tests/assertions/no_negative_orders.sql": 'select order_id from {{ref "stg_orders"}} where total < 0',
};

const withStockedShop = <T>(changes: Changes, use: (root: string, command: typeof rebuild) => Promise<T>) =>
    withShop({ ...data, ...changes }, (root) =>
        use(root, (args, options) => rebuild(args, { cwd: root, ...options })),
    );

const readJson = async (...path: readonly string[]) => JSON.parse(await readFile(join(...path), "utf8"));

describe("rebuild run", () => {
    it("extracts, seeds, builds and tests, and leaves warehouse, compiled SQL and records", () =>
        withStockedShop({}, async (root, command) => {
            const { code, stdout } = await command(["run"]);
            expect(stdout.split("\n")[0]).toMatch(
                /rebuild run .*shop, target files, from the files in .*data, published nowhere/,
            );
            expect(stdout).toMatch(/\d of 5 OK created table customer_orders \.+ \[2 rows in [\d.]+s\]/);
            expect(stdout).toContain("Done.");
            expect(stdout).toMatch(
                /Next:\n.*rebuild show customer_facts .*\n.*rebuild run --select customer_orders\+ /,
            );
            expect(code).toBe(0);
            const results = await readJson(root, "target/run_results.json");
            expect(results).toMatchObject({ status: "success", exit_code: 0, target: "files" });
            expect(results.phases.map(({ phase }: { phase: string }) => phase)).toEqual([
                "extract",
                "seed",
                "build",
                "test",
            ]);
            expect((await readJson(root, "target/manifest.json")).order).toContain("customer_facts");
            expect(existsSync(join(root, "target/compiled/models/marts/customer_facts.sql"))).toBe(true);
            expect(existsSync(join(root, "target/files.duckdb"))).toBe(true);
        }));

    it("prints the record alone on stdout with --json", () =>
        withStockedShop({}, async (_, command) => {
            const { code, stdout, stderr } = await command(["run", "--json"]);
            expect(code).toBe(0);
            expect(JSON.parse(stdout)).toMatchObject({ status: "success", command: "run" });
            expect(stderr).toContain("OK created");
        }));

    it("prints events for machines with --log-format json", () =>
        withStockedShop({}, async (_, command) => {
            const { stdout } = await command(["run", "--log-format", "json"]);
            const events = stdout
                .trim()
                .split("\n")
                .map((line) => JSON.parse(line));
            expect(events.map(({ type }) => type)).toEqual(
                expect.arrayContaining(["phase-start", "node-end", "note"]),
            );
            expect(new Set(events.map(({ run_id }) => run_id)).size).toBe(1);
        }));

    it("rebuilds a part from the last good warehouse and says how old its sources are", () =>
        withStockedShop({}, async (root, command) => {
            expect((await command(["run", "--select", "customer_orders+"])).code).toBe(2);
            await command(["run"]);
            const { code, stdout } = await command(["run", "--select", "customer_orders+"]);
            expect(stdout).toMatch(/starting from run \S+, whose sources were read \d+ seconds? ago/);
            expect(code).toBe(0);
            const { results } = await readJson(root, "target/run_results.json");
            const models = results.filter(({ kind }: { kind: string }) => kind === "model");
            expect(models.map(({ name }: { name: string }) => name).sort()).toEqual([
                "customer_facts",
                "customer_orders",
            ]);
        }));

    it("skips what depends on a failed model, finishes the rest, and keeps the last good warehouse", () =>
        withStockedShop({}, async (root, command) => {
            await command(["run"]);
            const before = await stat(join(root, "target/files.duckdb"));
            const model = join(root, "models/features/customer_orders.sql");
            await writeFile(model, `${await readFile(model, "utf8")}\nwhere no_such_column > 1\n`);
            const { code, stdout } = await command(["run"]);
            expect(code).toBe(1);
            expect(stdout).toMatch(/ERROR created table customer_orders/);
            expect(stdout).toContain("models/features/customer_orders.sql");
            expect(stdout).toMatch(/no_such_column[\s\S]*\^/);
            expect(stdout).toMatch(/SKIP created .* customer_facts/);
            expect((await stat(join(root, "target/files.duckdb"))).mtimeMs).toBe(before.mtimeMs);
            expect(await readJson(root, "target/run_results.json")).toMatchObject({
                status: "failed",
                exit_code: 1,
            });
        }));

    it("does not replace the last good warehouse when a test finds rows", () =>
        withStockedShop({}, async (root, command) => {
            await command(["run"]);
            const before = await stat(join(root, "target/files.duckdb"));
            const orders = join(root, "data/shop_orders.csv");
            await writeFile(orders, `${await readFile(orders, "utf8")}\n4,2,2024-01-06,-900,PAID,,,`);
            const { code, stdout } = await command(["run"]);
            expect(stdout).toMatch(/FAIL .*no_negative_orders/);
            expect(code).toBe(1);
            expect((await stat(join(root, "target/files.duckdb"))).mtimeMs).toBe(before.mtimeMs);
            expect(existsSync(join(root, "target/files.failed.duckdb"))).toBe(true);
            expect((await command(["test"])).code).toBe(0);
        }));

    it("ends with 2 and every problem when the project cannot be read", () =>
        withStockedShop(
            { "models/marts/customer_facts.yml": "model: customer_facts\ngrian: x\ncolours: 1\n" },
            async (_, command) => {
                const { code, stderr } = await command(["run"]);
                expect(code).toBe(2);
                expect(stderr).toMatch(/models\/marts\/customer_facts\.yml:2:.*grain/);
                expect(stderr).toMatch(/models\/marts\/customer_facts\.yml:3:/);
            },
        ));

    it("ends with 3 while another run holds the lock, and says which", () =>
        withStockedShop({}, async (root, command) => {
            const lock = { runId: "another-run", command: "rebuild run" };
            const { code, stdout } = await withDirectoryLock(join(root, "target"), lock, () =>
                command(["run"]),
            );
            expect(code).toBe(3);
            expect(stdout).toMatch(/another-run[\s\S]*Skipped, exit code 3/);
            // The record of the run that holds the lock is not overwritten by one that did nothing.
            expect(existsSync(join(root, "target/run_results.json"))).toBe(false);
        }));

    it("stops on SIGINT with 130, leaving no file of its own behind", () =>
        withStockedShop(
            {
                "models/features/slow.sql":
                    "select count(*) as pairs from range(200000) as one cross join range(2000000) as other\n",
            },
            async (root, command) => {
                let sent = false;
                const { code, stdout } = await command(["run"], {
                    onOutput: (text, kill) => {
                        // The seeds are in: the models are being built.
                        if (sent || !/build +\d+ models/.test(text)) return;
                        sent = true;
                        setTimeout(() => kill("SIGINT"), 300);
                    },
                });
                expect(code).toBe(130);
                expect(stdout).toContain("Interrupted, exit code 130");
                expect(existsSync(join(root, "target/files.duckdb"))).toBe(false);
                expect(await readJson(root, "target/run_results.json")).toMatchObject({
                    status: "interrupted",
                    exit_code: 130,
                });
            },
        ));

    it("never prints the password of a connection that fails", () =>
        withStockedShop({}, async (root, command) => {
            const url = "postgres://clerk:s3cr3t-w0rd@127.0.0.1:9/shop";
            const env = { SHOP_URL: url, SHOP_TARGET_URL: url };
            const { code, stdout, stderr } = await command(["run", "--no-publish"], { env });
            expect(code).toBe(2);
            expect(stdout).toContain("postgres://clerk@127.0.0.1:9/shop");
            const record = await readFile(join(root, "target/run_results.json"), "utf8");
            expect(stdout + stderr + record).not.toContain("s3cr3t-w0rd");
        }));
});

describe("the commands that only look", () => {
    it("list, compile and show what a run built", () =>
        withStockedShop({}, async (root, command) => {
            expect((await command(["show", "customer_facts"])).code).toBe(2);
            await command(["run"]);
            const listed = await command(["ls", "--select", "+customer_facts", "--json"]);
            expect(JSON.parse(listed.stdout).map(({ name }: { name: string }) => name)).toEqual(
                expect.arrayContaining(["customer_facts", "customer_orders"]),
            );
            expect((await command(["ls", "--select", "customer_fact"])).stderr).toContain("customer_facts");
            expect((await command(["compile", "--select", "customer_facts"])).stdout).toContain(
                "main.customer_orders",
            );
            const shown = await command(["show", "stg_customers", "--json"]);
            expect(JSON.parse(shown.stdout)).toHaveLength(2);
            const inline = await command([
                "show",
                "--inline",
                'select count(*) as orders from {{ref "stg_orders"}}',
            ]);
            expect(inline.stdout).toMatch(/orders\n-+\n +2/);
            const exact = await command([
                "show",
                "--json",
                "--inline",
                "select 9007199254740993::bigint as id",
            ]);
            expect(JSON.parse(exact.stdout)).toEqual([{ id: "9007199254740993" }]);
            expect((await command(["debug"])).code).toBe(0);
            const cleaned = await command(["clean", "--json"]);
            expect(JSON.parse(cleaned.stdout)).toMatchObject({ sandbox: false });
            expect(cleaned.code).toBe(0);
            expect(existsSync(join(root, "target/files.duckdb"))).toBe(false);
        }));

    it("need no folder for temporary files, as in a container that is read-only", async () => {
        expect(await rebuild(["--version"], { env: { TMPDIR: "/dev/null/none" } })).toMatchObject({
            code: 0,
            stderr: "",
        });
    });

    it("end, whatever keeps a run's record from being written", () =>
        withStockedShop({ "target/runs": "a file where a folder belongs" }, async (root, command) => {
            const { code, stdout } = await command(["run"]);
            expect(code).toBe(2);
            expect(stdout).toContain("customer_facts");
            expect(await readJson(root, "target/status.json")).toMatchObject({ status: "completed" });
        }));

    it("explain themselves with examples", async () => {
        const { stdout, code } = await rebuild(["--help"]);
        expect(code).toBe(0);
        const verbs = [
            "run",
            "test",
            "seed",
            "publish",
            "ls",
            "compile",
            "lint",
            "show",
            "export",
            "matrix",
            "debug",
            "clean",
            "sandbox",
        ];
        for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
        const helps = await Promise.all(verbs.map((verb) => rebuild([verb, "--help"])));
        for (const help of helps) expect(help.stdout).toContain("Examples:");
        expect((await rebuild(["run", "--no-such-option"])).code).toBe(2);
        expect((await rebuild(["rnu"])).stderr).toContain("run");
    });
});
