import { z } from "zod";
import { columnTypeSchema } from "./column-types.ts";
import { lintRuleNames } from "./lint-rules.ts";

const materializations = [
    "table",
    "view",
    "ephemeral",
    "external",
    "postgres_table",
    "postgres_materialized_view",
] as const;

const text = z.string().min(1);
const names = z.union([text.transform((one) => [one]), z.array(text)]);
const severity = z.enum(["error", "warn"]);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const condition = { severity: severity.optional(), where: text.optional() };
/** `{ not_null: { severity: warn } }`, or `{ not_null: true, severity: warn }`. */
const flag = z.union([z.literal(true), z.null().transform(() => true as const), z.strictObject(condition)]);

/** `not_null` is short for `{ not_null: true }`. */
function short<Schema extends z.ZodType>(schema: Schema) {
    return z.preprocess((item) => (typeof item === "string" ? { [item]: true } : item), schema);
}

const columnTest = short(
    z.strictObject({
        not_null: flag.optional(),
        unique: flag.optional(),
        accepted_values: z
            .union([z.array(scalar).min(1), z.strictObject({ values: z.array(scalar).min(1), ...condition })])
            .optional(),
        relationships: z.strictObject({ to: text, field: text, ...condition }).optional(),
        range: z
            .strictObject({ min: z.number().optional(), max: z.number().optional(), ...condition })
            .optional(),
        ...condition,
    }),
);

const modelTest = z.strictObject({
    unique_combination: z.union([
        z.array(text).min(1),
        z.strictObject({ columns: z.array(text).min(1), ...condition }),
    ]),
    ...condition,
});

const column = z.preprocess(
    // A column with nothing to say yet.
    (value) => value ?? {},
    z.strictObject({
        type: columnTypeSchema.optional(),
        description: z.string().optional(),
        tier: text.optional(),
        surrogate: z.boolean().optional(),
        unit: text.optional(),
        range: z.tuple([z.number().nullable(), z.number().nullable()]).optional(),
        null_policy: text.optional(),
        tests: z.array(columnTest).nullish(),
    }),
);

const index = z.union([
    z.array(text).min(1),
    z.strictObject({ columns: z.array(text).min(1), unique: z.boolean().optional() }),
]);

const policy = z.strictObject({
    name: text,
    roles: names.optional(),
    using: text,
    restrictive: z.boolean().optional(),
});

const publish = z
    .strictObject({
        schema: text.optional(),
        name: text.optional(),
        primary_key: names.optional(),
        indexes: z.array(index).optional(),
        grant_select: names.optional(),
        row_security: z.boolean().optional(),
        policies: z.array(policy).optional(),
        mode: z.enum(["swap", "diff"]).optional(),
        row_count_band: z.strictObject({ min: z.number().min(0), max: z.number().positive() }).optional(),
    })
    .refine(({ row_security, policies = [] }) => row_security !== false || policies.length === 0, {
        path: ["row_security"],
        error: "policies hold back no rows where row_security is false: leave it out",
    });

const shared = {
    description: z.string().optional(),
    enabled: z.boolean().optional(),
    tags: names.optional(),
    grain: names.optional(),
    // `columns:` with nothing below it yet.
    columns: z.record(text, column).nullish(),
    tests: z.array(modelTest).nullish(),
    publish: publish.optional(),
};

/** The yml beside a model. */
export const rawModelSchema = z.strictObject({
    model: text,
    materialized: z.enum(materializations).optional(),
    as_of: text.optional(),
    moves_from: text.optional(),
    event: text.optional(),
    tripwires: z.strictObject({ outcome: text, yardstick: text }).optional(),
    lint: z
        .strictObject({ accept: z.partialRecord(z.enum(lintRuleNames), z.string().trim().min(1)) })
        .optional(),
    external: z.strictObject({ path: text, format: z.enum(["parquet", "csv"]).optional() }).optional(),
    ...shared,
});

/** The yml beside a seed. */
export const rawSeedSchema = z.strictObject({
    seed: text,
    materialized: z.enum(["table", "postgres_table"]).optional(),
    ...shared,
});

/** What rebuild.yml may set for all models of a folder. */
export const folderDefaultsSchema = z.strictObject({
    materialized: z.enum(materializations).optional(),
    enabled: z.boolean().optional(),
    tags: names.optional(),
    publish: z.strictObject({ schema: text.optional(), grant_select: names.optional() }).optional(),
});

/** `{{config ...}}` in a model's file. */
export const inlineConfigSchema = z.strictObject({
    materialized: z.enum(materializations).optional(),
    enabled: z.boolean().optional(),
    tags: names.optional(),
    description: z.string().optional(),
    grain: names.optional(),
    as_of: text.optional(),
});

/** `{{config ...}}` in an assertion. */
export const assertionConfigSchema = z.strictObject({
    severity: severity.optional(),
    enabled: z.boolean().optional(),
    tags: names.optional(),
    description: z.string().optional(),
});

type RawModel = z.infer<typeof rawModelSchema>;
/** What both kinds of yml may say beside the name. */
export type RawNode = Omit<RawModel, "model">;
export type RawColumn = z.infer<typeof column>;
export type RawColumnTest = z.infer<typeof columnTest>;
export type RawModelTest = z.infer<typeof modelTest>;
export type FolderDefaults = z.infer<typeof folderDefaultsSchema>;
export type InlineConfig = z.infer<typeof inlineConfigSchema>;
