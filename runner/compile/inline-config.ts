import type { z } from "zod";
import type { Problem } from "../errors.ts";
import { checkShape } from "../project/check-shape.ts";
import type { Rendering } from "./scope.ts";
import { locatedProblem } from "./snippet.ts";

/** Keys that hold lists; `{{config tags="a,b"}}` writes them as one text. */
const listKeys = ["tags", "grain"];

/** The values of all `{{config ...}}` of a file, the later over the earlier. */
export function inlineConfig<Config extends object>(
    configs: Rendering["configs"],
    schema: z.ZodType<Config>,
    template: { readonly file: string; readonly text: string },
    problems: Problem[],
): Config {
    const merged = {};
    for (const { values, position } of configs) {
        const value = Object.fromEntries(
            Object.entries(values).map(([key, given]) => [
                key,
                listKeys.includes(key) && typeof given === "string"
                    ? given.split(",").map((item) => item.trim())
                    : given,
            ]),
        );
        const found: Problem[] = [];
        const document = { file: position.file, value, locate: () => position };
        Object.assign(merged, checkShape(schema, value, document, [], found));
        for (const { key, message } of found) {
            const text = position.file === template.file ? template.text : "";
            problems.push(locatedProblem(position, text, `config ${key ?? ""}: ${message}`));
        }
    }
    return merged as Config;
}
