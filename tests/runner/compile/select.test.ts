import { beforeAll, describe, expect, it } from "vitest";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import type { CompiledNode, CompiledProject } from "../../../runner/compile/compiled.ts";
import { assertionsFor, planBuild } from "../../../runner/compile/plan.ts";
import { selectNodes } from "../../../runner/compile/select.ts";
import { loadProject } from "../../../runner/project/load-project.ts";
import { shopRoot } from "../shop-project.ts";

let shop: CompiledProject;
beforeAll(async () => {
    shop = compileProject(await loadProject({ root: shopRoot, env: {} }));
});

function select(...terms: readonly string[]): readonly string[] {
    return [...selectNodes(shop, { select: terms })].sort();
}

describe("a selection", () => {
    it("is every model and seed when nothing is said", () => {
        expect([...selectNodes(shop, {})]).toEqual(shop.order);
    });

    it("takes names, wildcards and what is above and below", () => {
        expect(select("customer_orders")).toEqual(["customer_orders"]);
        expect(select("stg_*")).toEqual(["stg_customers", "stg_orders"]);
        expect(select("customer_orders+")).toEqual([
            "customer_facts",
            "customer_orders",
            "customer_score",
            "customer_summary",
        ]);
        expect(select("customer_orders+1")).toEqual(["customer_facts", "customer_orders", "customer_score"]);
        expect(select("1+large_days")).toEqual(["large_days", "order_days"]);
        expect(select("2+large_days")).toEqual(["large_days", "order_days", "stg_orders"]);
        expect(select("+stg_customers")).toEqual(["countries", "stg_customers"]);
        expect(select("1+customer_facts+1")).toEqual([
            "customer_facts",
            "customer_orders",
            "customer_summary",
        ]);
    });

    it("takes with @ all that is below, and all that it needs", () => {
        expect(select("@large_days")).toEqual(shop.order.filter((name) => name !== "orders_file").sort());
    });

    it("takes tags, paths, sources and types", () => {
        expect(select("tag:publish")).toEqual(["customer_facts", "customer_summary"]);
        expect(select("tag:lookup")).toEqual(["countries"]);
        expect(select("path:models/base")).toEqual(["large_days", "order_days"]);
        expect(select("models/base/")).toEqual(["large_days", "order_days"]);
        expect(select("models/*/stg_orders.sql")).toEqual(["stg_orders"]);
        expect(select("source:customers+1")).toEqual(["stg_customers"]);
        expect(select("type:seed")).toEqual(["countries"]);
        expect(select("resource_type:assertion")).toEqual(["no_negative_totals"]);
    });

    it("joins terms by spaces and arguments, and intersects them by commas", () => {
        expect(select("countries stg_orders", "large_days")).toEqual([
            "countries",
            "large_days",
            "stg_orders",
        ]);
        expect(select("customer_orders+,tag:publish")).toEqual(["customer_facts", "customer_summary"]);
        expect(select("path:models/base,large_*  countries")).toEqual(["countries", "large_days"]);
    });

    it("leaves out what is excluded, by the same grammar", () => {
        const left = selectNodes(shop, { select: ["customer_orders+"], exclude: ["tag:publish", "*_score"] });
        expect([...left]).toEqual(["customer_orders"]);
        expect([...selectNodes(shop, { exclude: ["stg_orders+ type:seed"] })]).toEqual(["stg_customers"]);
    });

    it("takes an assertion by its name, and what it reads by a plus", () => {
        expect(select("no_negative_totals")).toEqual(["no_negative_totals"]);
        expect(select("1+no_negative_totals")).toEqual(["no_negative_totals", "order_days"]);
        expect(select("order_days+1")).toEqual(["customer_orders", "large_days", "order_days"]);
    });

    it.each([
        [
            "customer_order",
            "the selector customer_order matches no name; did you mean customer_orders or customer_score?",
        ],
        ["tag:publsh", "the selector tag:publsh matches no tag; did you mean publish?"],
        [
            "path:models/feature",
            "the selector path:models/feature matches no path; did you mean models/features?",
        ],
        [
            "source:custmers",
            "the selector source:custmers matches no source that a model reads; did you mean customers?",
        ],
        ["type:table", "the selector type:table matches no type; there are assertion, model, seed"],
        [
            "state:modified",
            "the selector state:modified has the unknown method state; methods are name, tag, path, source, type",
        ],
        [
            "tag:publish,type:seed",
            "the selector tag:publish,type:seed has no node in common: tag:publish and type:seed each match, but not the same",
        ],
        [
            "@stg_orders+",
            "the selector @stg_orders+ is not a selector; write name, +name, name+, 2+name+3, @name, tag:x, path:x, source:x or type:x",
        ],
        [
            "source:orders",
            "--select source:orders names sources only: write source:orders+ for what is made from them",
        ],
    ])("is refused when it means nothing: %s", (term, message) => {
        expect(() => selectNodes(shop, { select: [term] })).toThrow(message);
        if (term !== "source:orders") expect(() => selectNodes(shop, { exclude: [term] })).toThrow(message);
    });
});

describe("a plan", () => {
    it("has a step for what is built, and sees through what is not", () => {
        expect(planBuild(shop, new Set(shop.order))).toEqual([
            { name: "countries", blockers: [] },
            { name: "stg_orders", blockers: [] },
            { name: "orders_file", blockers: ["stg_orders"] },
            { name: "stg_customers", blockers: ["countries"] },
            { name: "customer_orders", blockers: ["stg_customers", "stg_orders"] },
            { name: "customer_facts", blockers: ["customer_orders"] },
            { name: "customer_score", blockers: ["customer_orders"] },
        ]);
        expect(planBuild(shop, new Set(["countries", "customer_orders", "customer_facts"]))).toEqual([
            { name: "countries", blockers: [] },
            // stg_customers is a view: it was not selected, and reads the seed anew.
            { name: "customer_orders", blockers: ["countries"] },
            { name: "customer_facts", blockers: ["customer_orders"] },
        ]);
    });

    it("runs the assertions that read a selected node, or were named", () => {
        expect(assertionsFor(shop, selectNodes(shop, { select: ["order_days"] }))).toEqual([
            "no_negative_totals",
        ]);
        expect(assertionsFor(shop, selectNodes(shop, { select: ["stg_orders"] }))).toEqual([]);
        expect(assertionsFor(shop, new Set(["no_negative_totals"]))).toEqual(["no_negative_totals"]);
    });
});

describe("selection over random graphs", () => {
    /** Numbers that only look random: a failure can be repeated. */
    function randomNumbers(seed: number): () => number {
        let state = seed;
        return () => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return state / 2 ** 32;
        };
    }

    function randomProject(random: () => number): CompiledProject {
        const names = Array.from({ length: 3 + Math.floor(random() * 10) }, (_, index) => `m${index}`);
        const nodes = new Map(
            names.map((name, index) => {
                const refs = names.slice(0, index).filter(() => random() < 0.3);
                return [
                    name,
                    {
                        kind: "seed",
                        name,
                        file: `seeds/${name}.csv`,
                        refs,
                        sources: [],
                        config: { tags: [] },
                    },
                ];
            }),
        );
        return {
            nodes: nodes as unknown as ReadonlyMap<string, CompiledNode>,
            order: names,
            macros: [],
            warnings: [],
        };
    }

    /** Steps from one node to another along refs, by trying every path. */
    function distance(compiled: CompiledProject, from: string, to: string): number {
        if (from === to) return 0;
        const steps = compiled.nodes.get(to)!.refs.map((ref) => distance(compiled, from, ref) + 1);
        return Math.min(Number.POSITIVE_INFINITY, ...steps);
    }

    it("equals the closure that trying every path finds", () => {
        const random = randomNumbers(20240501);
        for (let round = 0; round < 60; round++) {
            const compiled = randomProject(random);
            const { order } = compiled;
            const name = order[Math.floor(random() * order.length)]!;
            const depth = 1 + Math.floor(random() * 3);
            const picked = (term: string) => [...selectNodes(compiled, { select: [term] })].sort();
            const keep = (holds: (other: string) => boolean) => order.filter(holds).sort();
            expect(picked(`${name}+`)).toEqual(keep((other) => distance(compiled, name, other) < Infinity));
            expect(picked(`+${name}`)).toEqual(keep((other) => distance(compiled, other, name) < Infinity));
            expect(picked(`${name}+${depth}`)).toEqual(
                keep((other) => distance(compiled, name, other) <= depth),
            );
            expect(picked(`${depth}+${name}`)).toEqual(
                keep((other) => distance(compiled, other, name) <= depth),
            );
            expect(picked(`@${name}`)).toEqual(
                keep((other) =>
                    order.some(
                        (below) =>
                            distance(compiled, name, below) < Infinity &&
                            distance(compiled, other, below) < Infinity,
                    ),
                ),
            );
            expect(picked(`+${name}+`)).toEqual(
                [...new Set([...picked(`+${name}`), ...picked(`${name}+`)])].sort(),
            );
            for (const { name: step, blockers } of planBuild(compiled, new Set(order))) {
                for (const blocker of blockers)
                    expect(order.indexOf(blocker)).toBeLessThan(order.indexOf(step));
            }
        }
    });
});
