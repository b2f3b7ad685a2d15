import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { NodeResult } from "../../runner/status/events.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { buildShop } from "./build-fixture.ts";
import { withMemoryWarehouse, withTemporaryDirectory } from "./warehouse-fixture.ts";

const contract = pathToFileURL(resolve("runner/model.ts")).href;

/** Builds a model whose `run` has the given body, over a table of five prices. */
function withModel<T>(
    body: string,
    check: (warehouse: Warehouse, result: NodeResult) => Promise<T>,
    signal = new AbortController().signal,
): Promise<T> {
    return withTemporaryDirectory(async (root) => {
        await mkdir(join(root, "models"));
        await writeFile(
            join(root, "models/running.ts"),
            `import { defineModel } from "${contract}";
            export default defineModel({
                refs: ["prices"],
                columns: { id: "integer", total: "double" },
                async run({ ref, read, write, vars, signal }) { ${body} },
            });`,
        );
        return withMemoryWarehouse(async (warehouse) => {
            const built = await buildShop(
                warehouse,
                {
                    prices: { sql: "select range::integer as id, 10.0::double as price from range(5000)" },
                    running: { file: "models/running.ts", refs: ["prices"] },
                },
                { root, signal },
            );
            return check(warehouse, built.results[1]!);
        });
    });
}

test("a TypeScript model reads its refs in order and writes its table", async () => {
    const body = `
        let total = 0;
        for await (const { rowCount, columns } of read(\`select * from \${ref("prices")} order by id\`)) {
            const totals = new Float64Array(rowCount);
            for (let row = 0; row < rowCount; row++) totals[row] = total += columns.price.values[row] * (1 - vars.discount);
            await write({ rowCount, columns: { id: columns.id, total: { values: totals } } });
        }`;
    await withModel(body, async (warehouse, result) => {
        expect(result).toMatchObject({ status: "success", rows: 5000, columns: 2, detail: "table" });
        expect(await warehouse.rows("select max(total) as total, max(id) as id from running")).toEqual([
            { total: 45_000, id: 4999 },
        ]);
    });
});

test("a ref that the model did not declare is an error with the nearest ones", async () => {
    await withModel(`read("from " + ref("price"))`, async (_, { status, message }) => {
        expect(status).toBe("failed");
        expect(message).toContain(
            'models/running.ts: ref("price") is not among the model\'s refs (prices); did you mean prices?',
        );
    });
});

test("a TypeScript model that fails leaves no table and no trace", async () => {
    const body = `
        await write({ rowCount: 1, columns: { id: { values: new Int32Array(1) }, total: { values: new Float64Array(1) } } });
        for await (const _ of read("select nothing")) {}`;
    await withModel(body, async (warehouse, { status, message }) => {
        expect(status).toBe("failed");
        expect(message).toContain('models/running.ts: Binder Error: Referenced column "nothing"');
        expect(message).toContain("1 | select nothing\n");
        expect(await warehouse.rows("select table_name from information_schema.tables")).toEqual([
            { table_name: "prices" },
        ]);
    });
});

test("an error of the author's own code says where in the file", async () => {
    await withModel(`vars.missing.value;`, async (_, { message }) => {
        expect(message).toContain("TypeError");
        expect(message).toMatch(/models\/running\.ts:\d+:\d+/);
    });
});

test("an interrupt ends a TypeScript model that reads", async () => {
    const interruption = new AbortController();
    setTimeout(() => interruption.abort(), 300);
    const body = `for await (const _ of read("from range(100000000000)")) {}`;
    const started = performance.now();
    await withModel(
        body,
        async (warehouse, { status, message }) => {
            expect([status, message]).toEqual(["failed", "interrupted"]);
            expect(await warehouse.rows("select table_name from information_schema.tables")).toEqual([
                { table_name: "prices" },
            ]);
        },
        interruption.signal,
    );
    expect(performance.now() - started).toBeLessThan(5000);
});
