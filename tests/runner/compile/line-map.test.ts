import { expect, it } from "vitest";
import { compileProject } from "../../../runner/compile/compile-project.ts";
import type { Project } from "../../../runner/project/project.ts";
import { loadShop } from "../shop-project.ts";

/** Numbers that only look random: a failure can be repeated. */
function randomNumbers(seed: number): () => number {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

/** Random nestings of everything a template can hold; each written line carries its own number: `line_12`. */
function randomTemplate(random: () => number): string {
    const lines: string[] = [];
    const pick = (count: number) => Math.floor(random() * count);
    const tilde = () => (random() < 0.15 ? "~" : "");
    const write = (text: string, depth: number) => lines.push(`${" ".repeat(depth * 4)}${text}`);
    const text = () => `line_${lines.length + 1},`;
    const fill = (depth: number, budget: number) => {
        for (let left = 1 + pick(budget); left > 0; left--) {
            const kind = depth > 3 ? pick(5) : pick(9);
            if (kind <= 1) write(text(), depth);
            else if (kind === 2) write(`${text()} {{ref "stg_orders"}} and {{var "large_order"}}`, depth);
            else if (kind === 3) write(random() < 0.5 ? "{{!-- a comment --}}" : "", depth);
            else if (kind === 4)
                write(random() < 0.5 ? "{{> marked}}" : `${text()} {{> marked}} after`, depth);
            else {
                const [open, close] = [
                    ["#if (var 'large_order')", "/if"],
                    ["#unless (var 'with_discounts')", "/unless"],
                    ["#each (var 'windows')", "/each"],
                    ["#if (var 'with_discounts')", "/if"],
                ][kind - 5]!;
                write(`{{${tilde()}${open}${tilde()}}}`, depth);
                fill(depth + 1, 3);
                if (open!.startsWith("#if") && random() < 0.4) {
                    write("{{else}}", depth);
                    fill(depth + 1, 3);
                }
                write(`{{${tilde()}${close}${tilde()}}}`, depth);
            }
        }
    };
    write(text(), 0);
    fill(0, 8);
    write(text(), 0);
    return lines.join("\n");
}

it("every line of 100 random templates leads back to where it was written", async () => {
    const shop = await loadShop({ "macros/marked.hbs": "{{!-- three lines --}}\nmacro_2\nmacro_3\n" });
    const random = randomNumbers(7);
    const [any] = shop.models;
    const models = Array.from({ length: 100 }, (_, index) => ({
        ...any!,
        name: `random_${index}`,
        file: `models/random_${index}.sql`,
        text: randomTemplate(random),
    }));
    const project: Project = { ...shop, models: [...shop.models, ...models] };
    const { nodes } = compileProject(project);
    let checked = 0;
    for (const { name, file, text } of models) {
        const node = nodes.get(name);
        if (node?.kind !== "model") throw new Error(name);
        const lines = node.sql.split("\n");
        expect(node.lineMap).toHaveLength(lines.length);
        lines.forEach((line, index) => {
            const first = /(line|macro)_(\d+)/.exec(line);
            if (!first) return;
            const place = node.lineMap[index]!;
            const expected = first[1] === "line" ? file : "macros/marked.hbs";
            const where = `${name}, compiled line ${index + 1}: ${line}\n${text}`;
            expect(`${place.file}:${place.line}`, where).toBe(`${expected}:${first[2]}`);
            const written = first[1] === "line" ? text.split("\n")[place.line! - 1]! : first[0];
            expect(written.slice(place.column! - 1).startsWith(first[0]), where).toBe(true);
            checked++;
        });
    }
    expect(checked).toBeGreaterThan(1000);
});
