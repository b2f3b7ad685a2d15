import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compileProject } from "../../runner/compile/compile-project.ts";
import { lintProject } from "../../runner/compile/lint/lint-project.ts";
import { loadProject } from "../../runner/project/load-project.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("what the lint points at in this project is accepted with a reason, and there is something", async () => {
    const project = await loadProject({ root, env: {}, target: "files" });
    const found = lintProject(project, compileProject(project));
    expect(found.filter(({ accepted }) => accepted === undefined)).toEqual([]);
    expect(found.length).toBeGreaterThan(5);
});
