import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
    familyColumns,
    featureNames,
    isFamily,
    joinedColumns,
    joinedFamilies,
    martYml,
} from "./dataset-dictionary.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tiers = ["key", "declared", "market", "history", "field"];

test.each([
    ["race_training_dataset", { labels: true }],
    ["race_upcoming_dataset", { labels: false }],
] as const)(
    "%s describes every column as its family does; `vitest -u` writes it anew",
    async (mart, options) => {
        await expect(martYml(root, mart, options)).toMatchFileSnapshot(`${root}/models/marts/${mart}.yml`);
    },
);

test("the joiner takes every feature of the families it reads, once", () => {
    const taken = joinedColumns(root).map(({ name }) => name);
    expect(taken.filter((name, at) => taken.indexOf(name) !== at)).toEqual([]);
    const described = joinedFamilies(root)
        .filter(isFamily)
        .flatMap((family) => featureNames(root, family));
    expect(described.filter((name) => !taken.includes(name))).toEqual([]);
});

test("every column of the dataset has type, description, tier, unit and null policy", () => {
    const gaps = joinedColumns(root).flatMap(({ family, name }) => {
        const column = familyColumns(root, family).get(name);
        const missing = ["type", "description", "tier", "unit", "null_policy"].filter(
            (key) => !column?.[key],
        );
        return missing.length > 0 ? [`${family}.${name}: ${missing.join(", ")}`] : [];
    });
    expect(gaps).toEqual([]);
});

test("no column of the dataset but the labels is an outcome", () => {
    const strange = joinedColumns(root).flatMap(({ family, name }) => {
        const tier = String(familyColumns(root, family).get(name)?.tier);
        return tiers.includes(tier) ? [] : [`${family}.${name}: ${tier}`];
    });
    expect(strange).toEqual([]);
});

test("the dataset has at least 220 feature columns", () => {
    const features = joinedColumns(root).filter(
        ({ family, name }) => familyColumns(root, family).get(name)?.tier !== "key",
    );
    expect(features.length).toBeGreaterThanOrEqual(220);
});
