import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadProject } from "../../../runner/project/load-project.ts";
import type { Target } from "../../../runner/project/project.ts";
import { scrub } from "../../../runner/secrets.ts";
import { linesOf, loadShop, shopRoot } from "../shop-project.ts";

type Env = Record<string, string>;

async function targetOf(
    env: Env,
    options: { target?: string; defaultTarget?: string } = {},
): Promise<Target> {
    return (await loadProject({ root: shopRoot, env, ...options })).target;
}

const production: Env = {
    SHOP_URL: "postgres://shop:s3cret%21word@db.example:5432/shop",
    SHOP_TARGET_URL: "postgres://shop:s3cret@db.example/shop",
};

describe("the choice of a target", () => {
    it("is the default one when nothing else speaks", async () => {
        expect((await targetOf({})).name).toBe("files");
    });

    it("is the first whose default_when variable is set and not empty", async () => {
        expect((await targetOf(production)).name).toBe("production");
        expect((await targetOf({ ...production, SHOP_URL: "" })).name).toBe("files");
    });

    it("is REBUILD_TARGET before that, and --target before everything", async () => {
        const env = { ...production, REBUILD_TARGET: "sandbox" };
        expect((await targetOf(env)).name).toBe("sandbox");
        expect((await targetOf(env, { target: "files" })).name).toBe("files");
        expect((await targetOf(production, { defaultTarget: "sandbox" })).name).toBe("sandbox");
    });

    it("names the targets when the chosen one does not exist", async () => {
        expect(await linesOf(loadShop({}, { target: "product" }))).toEqual([
            "profiles.yml:2:1 (targets) --target names the target product, which is not here; did you mean production?",
        ]);
    });

    it("asks for one when there is no default", async () => {
        const [line] = await linesOf(
            loadShop({ "profiles.yml": "targets:\n    files: { source: { type: files, path: data } }\n" }),
        );
        expect(line).toMatch(/no target is chosen: pass --target, set REBUILD_TARGET, or add default:/);
    });
});

describe("a target", () => {
    it("has absolute paths and every default filled in", async () => {
        const target = await targetOf({});
        expect(target.source).toEqual({ type: "files", path: path.join(shopRoot, "data") });
        expect(target.publish).toBeUndefined();
        expect(target.warehouse).toEqual({
            path: path.join(shopRoot, "target/files.duckdb"),
            memoryLimit: "1GB",
            threads: 2,
            spillDirectory: path.join(shopRoot, "target/spill"),
            concurrency: 4,
            compress: false,
        });
        const { warehouse, publish } = await targetOf({}, { target: "sandbox" });
        expect(warehouse.path).toBe(path.join(shopRoot, "target/warehouse.duckdb"));
        expect(warehouse.memoryLimit).toMatch(/^\d+MiB$/);
        const half = await loadShop({
            "profiles.yml":
                "default: a\ntargets: { a: { source: { type: sandbox }, warehouse: { memory_limit: 35% } } }\n",
        });
        const mebibytes = (limit: string) => Number(limit.replace("MiB", ""));
        expect(mebibytes(half.target.warehouse.memoryLimit) * 2).toBeCloseTo(
            mebibytes(warehouse.memoryLimit),
            -1,
        );
        expect(publish).toEqual({
            type: "sandbox",
            schema: "shop",
            keepGenerations: 1,
            swapTimeoutSeconds: 300,
            valueShareMin: 0.5,
            rowCountBand: { min: 0.9, max: 1.5 },
        });
    });

    it("takes variables and their defaults from the environment, numbers too", async () => {
        const target = await targetOf(production);
        expect(target.source).toEqual({
            type: "postgres",
            url: production.SHOP_URL,
            schema: "shop",
            connections: 2,
            timeBudgetSeconds: 1800,
        });
        expect(target.publish).toMatchObject({ url: production.SHOP_TARGET_URL, keepGenerations: 2 });
        const other = await targetOf({ ...production, SHOP_CONNECTIONS: "1" });
        expect(other.source).toMatchObject({ connections: 1 });
    });

    it("never lets its password be printed", async () => {
        await targetOf(production);
        expect(scrub("password s3cret!word or s3cret%21word")).toBe("password *** or ***");
    });

    it("needs its variables, and only its own", async () => {
        expect(await linesOf(loadShop({}, { env: { SHOP_URL: production.SHOP_URL } }))).toEqual([
            `profiles.yml:6:36 (targets.production.publish.url) the environment variable SHOP_TARGET_URL is not set, and the target production needs it: set it, write \${SHOP_TARGET_URL:-default}, or choose another target (production, files, sandbox) with --target`,
        ]);
    });

    it("is refused when its URL is not one of Postgres, without showing it", async () => {
        const env = { ...production, SHOP_URL: "mysql://shop:s3cret@db.example/shop" };
        const [line] = await linesOf(loadShop({}, { env }));
        expect(line).toMatch(
            /^profiles\.yml:5:35 \(targets\.production\.source\.url\) is not a Postgres URL/,
        );
        expect(line).not.toContain("s3cret");
    });

    it("is checked for its keys even when another one is chosen", async () => {
        const lines = await linesOf(
            loadShop({
                "profiles.yml": [
                    "default: files",
                    "targets:",
                    "    files: { source: { type: files, path: data, memory: 1 } }",
                    `    other: { source: { type: postgres, url: "\${NOT_SET}", connections: "\${NOT_SET}", conections: 3 } }`,
                    "    third: { source: { type: files, path: data }, warehouse: { memory_limit: big, threads: 0 } }",
                ].join("\n"),
            }),
        );
        expect(lines).toEqual([
            "profiles.yml:3:49 (targets.files.source.memory) unknown key memory; allowed are type, path",
            "profiles.yml:4:86 (targets.other.source.conections) unknown key conections; did you mean connections?",
            "profiles.yml:5:64 (targets.third.warehouse.memory_limit) must be a size such as 1500MB, 2GB or 70%",
            "profiles.yml:5:83 (targets.third.warehouse.threads) must be more than 0, found 0",
        ]);
    });
});
