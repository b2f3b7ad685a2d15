import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { assignPhases } from "../../runner/compile/assign-phases.ts";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { loadProject } from "../../runner/project/load-project.ts";
import type { PhaseRule } from "../../runner/project/project.ts";
import type { NodeResult } from "../../runner/status/events.ts";
import { PhaseTrack } from "../../runner/status/phase-track.ts";
import { compileShop, linesOf } from "../runner/shop-project.ts";

const rule = (name: string, change: Partial<PhaseRule> = {}): PhaseRule => ({
    name,
    steps: [],
    models: [],
    rest: false,
    ...change,
});

describe("the phases of rebuild.yml", () => {
    it("take each model once: the first that names it, else the one for the rest", async () => {
        const rules = [
            rule("staging", { models: ["models/staging"] }),
            rule("facts", { models: ["customer_facts+", "stg_*"] }),
            rule("others", { rest: true }),
        ];
        const [staging, facts, others] = assignPhases(rules, await compileShop());
        expect([...staging!.models].sort()).toEqual(["stg_customers", "stg_orders"]);
        expect([...facts!.models].sort()).toEqual(["customer_facts", "customer_summary"]);
        expect(others!.models.has("customer_orders")).toBe(true);
    });

    it("say which terms match nothing, and which models nobody has", async () => {
        const compiled = await compileShop();
        const rules = [
            rule("staging", { models: ["models/stagign"] }),
            rule("tagged", { models: ["tag:lokup"] }),
        ];
        const lines = await linesOf((async () => assignPhases(rules, compiled))());
        expect(lines).toEqual([
            expect.stringMatching(/^rebuild\.yml \(phases\[0\]\.models\) .*did you mean models\/staging/),
            expect.stringMatching(/^rebuild\.yml \(phases\[1\]\.models\) .*lookup/),
            expect.stringMatching(/^rebuild\.yml \(phases\) no phase has .* give one phase `rest: true`/),
        ]);
    });

    it("are refused twice under one name, with two rests, or with steps that do not exist", async () => {
        const load = (phases: string) =>
            linesOf(compileShop({ "rebuild.yml": `name: shop\nphases: ${phases}\n` }));
        expect(await load("[{ name: a }, { name: a }]")).toEqual([expect.stringContaining("the same name")]);
        expect(await load("[{ name: a, rest: true }, { name: b, rest: true }]")).toEqual([
            expect.stringContaining("only one phase"),
        ]);
        expect(await load("[{ name: a, steps: [biuld] }]")).toEqual([
            expect.stringContaining("did you mean build"),
        ]);
    });

    it("are seven here, and hold every model", async () => {
        const root = fileURLToPath(new URL("../..", import.meta.url));
        const project = await loadProject({ root, env: {}, target: "sandbox" });
        const compiled = compileProject(project);
        const phases = assignPhases(project.phases, compiled);
        expect(phases.map(({ name }) => name)).toEqual([
            "extract",
            "base",
            "career and form",
            "advanced",
            "sectionals",
            "publish",
            "refresh",
        ]);
        expect(phases.reduce((sum, { models }) => sum + models.size, 0)).toBe(compiled.order.length);
        for (const name of ["base", "career and form", "advanced", "sectionals"]) {
            expect(phases.find((phase) => phase.name === name)!.models.size).toBeGreaterThan(3);
        }
    });
});

describe("the phase that is shown", () => {
    const phase = (name: string, steps: readonly string[], models: readonly string[] = []) => ({
        name,
        steps: new Set(steps),
        models: new Set(models),
    });
    const phases = [
        phase("read", ["extract"]),
        phase("early", [], ["a", "b"]),
        phase("late", [], ["c"]),
        phase("out", ["test", "publish"], ["d"]),
        phase("end", ["refresh"]),
    ];
    const ended = (name: string, kind: NodeResult["kind"], rows: number) => ({
        type: "node-end" as const,
        result: { name, kind, detail: "", status: "success" as const, seconds: 0, rows },
        index: 1,
        total: 4,
    });

    it("is the first one that still has a model to come, and never goes back", () => {
        const track = new PhaseTrack(phases, new Set(["a", "b", "c", "d"]));
        const shown = () => `${track.progress.phaseNumber} ${track.progress.phase} ${track.progress.status}`;
        expect(shown()).toBe("1 read starting");
        track.follow({ type: "phase-start", phase: "extract" });
        // A source may be called as a model.
        track.follow(ended("a", "source", 10));
        expect(shown()).toBe("1 read extracting");
        track.follow({ type: "phase-start", phase: "build" });
        expect(shown()).toBe("2 early transforming");
        track.follow(ended("c", "model", 5));
        track.follow(ended("a", "model", 5));
        expect(shown()).toBe("2 early transforming");
        track.follow({ type: "progress", name: "b", rows: 3, bytes: 0 });
        expect(track.progress.rowsProcessed).toBe(23);
        track.follow(ended("b", "model", 5));
        expect(shown()).toBe("4 out transforming");
        track.follow(ended("d", "model", 5));
        track.follow({ type: "phase-start", phase: "publish" });
        expect(shown()).toBe("4 out loading");
        track.follow({ type: "publish-step", step: "swap" });
        expect(shown()).toBe("5 end refreshing");
        expect(track.progress.rowsProcessed).toBe(30);
    });

    it("leaves out the models that a run does not build", () => {
        const track = new PhaseTrack(phases, new Set(["c"]));
        track.follow({ type: "phase-start", phase: "build" });
        expect(track.progress.phase).toBe("late");
    });
});
