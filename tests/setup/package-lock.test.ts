import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";

interface LockedPackage {
    readonly resolved?: string;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe("package-lock.json", async () => {
    const text = await readFile(new URL("../../package-lock.json", import.meta.url), "utf8");
    const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, LockedPackage>> };

    // npm leaves out, without a word, what the registry lacked when it wrote the file; `npm ci` then refuses it.
    test("knows every optional package that a locked one names, so that npm ci accepts it", () => {
        const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
            Object.keys(optionalDependencies)
                .filter(
                    (name) => !packages[`node_modules/${name}`] && !packages[`${owner}/node_modules/${name}`],
                )
                .map((name) => `${name}, wanted by ${owner}`),
        );
        expect(missing).toEqual([]);
    });

    test("names no registry", () => {
        expect(Object.values(packages).filter(({ resolved }) => resolved?.startsWith("http"))).toEqual([]);
    });
});
