import { z } from "zod";
import { columnTypeSchema } from "./column-types.ts";

const text = z.string().min(1);
const known = z.enum(["before", "after"]);

const column = z.strictObject({
    type: columnTypeSchema,
    optional: z.boolean().optional(),
    nullable: z.boolean().optional(),
    known: known.optional(),
    known_before_values: z.array(text).optional(),
    surrogate: z.boolean().optional(),
    version: z.boolean().optional(),
    tier: text.optional(),
    description: z.string().optional(),
    /** `{ m: "200..3000..200" }` or `{ m: [200, 400] }`: one column for each value of `{m}` in the name. */
    each: z.record(text, z.union([text, z.array(z.union([z.string(), z.number()])).min(1)])).optional(),
});

const source = z.strictObject({
    identifier: text.optional(),
    description: z.string().optional(),
    primary_key: z.union([text.transform((one) => [one]), z.array(text)]).optional(),
    known: known.optional(),
    identity: z.union([text.transform((one) => [one]), z.array(text).min(1)]).optional(),
    alike: z.union([text.transform((one) => [one]), z.array(text).min(1)]).optional(),
    entities: z.union([text.transform((one) => [one]), z.array(text).min(1)]).optional(),
    clock: z
        .union([
            text.transform((name) => ({ column: name })),
            z.strictObject({
                source: text,
                column: text,
                on: z.union([text.transform((one) => [one]), z.array(text).min(1)]),
            }),
        ])
        .optional(),
    columns: z.record(text, column),
});

/** models/sources.yml */
export const rawSourcesSchema = z.strictObject({ sources: z.record(text, source) });
export type RawSource = z.infer<typeof source>;
export type RawSourceColumn = z.infer<typeof column>;
