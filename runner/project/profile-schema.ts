import { z } from "zod";
import { hookSchema } from "./operations-schema.ts";

/** A number that may come from the environment, where everything is text. */
function numeric(schema: z.ZodNumber) {
    return z.preprocess(
        (value) => (typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
        schema,
    );
}

const name = z.string().min(1);
const whole = numeric(z.number().int().positive());

const publishSettings = {
    schema: name.optional(),
    keep_generations: numeric(z.number().int().min(0)).optional(),
    max_bytes_per_second: whole.optional(),
    max_database_bytes: whole.optional(),
    swap_timeout_seconds: whole.optional(),
    value_share_min: numeric(z.number().min(0).max(1)).optional(),
    row_count_band: z
        .strictObject({
            min: numeric(z.number().min(0)).optional(),
            max: numeric(z.number().positive()).optional(),
        })
        .optional(),
};

export const rawTargetSchema = z.strictObject({
    default_when: name.optional(),
    source: z.discriminatedUnion("type", [
        z.strictObject({
            type: z.literal("postgres"),
            url: name,
            schema: name.optional(),
            connections: numeric(z.number().int().min(1).max(3)).optional(),
            time_budget_seconds: whole.optional(),
        }),
        z.strictObject({ type: z.literal("files"), path: name }),
        z.strictObject({ type: z.literal("sandbox") }),
    ]),
    publish: z
        .discriminatedUnion("type", [
            z.strictObject({ type: z.literal("postgres"), url: name, ...publishSettings }),
            z.strictObject({ type: z.literal("sandbox"), ...publishSettings }),
        ])
        .optional(),
    hooks: z.array(hookSchema).optional(),
    warehouse: z
        .strictObject({
            path: name.optional(),
            memory_limit: z
                .string()
                .regex(/^\d+(\.\d+)?\s*(kb|mb|gb|tb|kib|mib|gib|tib|%)$/i, {
                    error: "must be a size such as 1500MB, 2GB or 70%",
                })
                .optional(),
            threads: whole.optional(),
            spill_directory: name.optional(),
            concurrency: whole.optional(),
            compress: z.boolean().optional(),
        })
        .optional(),
});

/** profiles.yml; its targets are checked one by one, since only the chosen one must be complete. */
export const rawProfileSchema = z.strictObject({
    default: name.optional(),
    targets: z.record(z.string(), z.unknown()),
});

export type RawTarget = z.infer<typeof rawTargetSchema>;
