import { Cron } from "croner";
import { z } from "zod";
import { hookEvents, phaseSteps } from "./project.ts";

const text = z.string().min(1);
const texts = z.union([text.transform((one) => [one]), z.array(text)]);

/** `phases` of rebuild.yml. Which models a term means is known only after compiling: see compile/assign-phases.ts. */
export const phasesSchema = z
    .array(
        z
            .strictObject({
                name: text,
                steps: z.array(z.enum(phaseSteps)).optional(),
                models: texts.optional(),
                rest: z.boolean().optional(),
            })
            .transform(({ name, steps = [], models = [], rest = false }) => ({ name, steps, models, rest })),
    )
    .min(1)
    .refine((phases) => new Set(phases.map(({ name }) => name)).size === phases.length, {
        error: "two phases have the same name",
    })
    .refine((phases) => phases.filter(({ rest }) => rest).length <= 1, {
        error: "only one phase can take the rest of the models",
    });

/** `serve` of rebuild.yml. */
export const serveSchema = z.strictObject({
    schedule: text
        .refine(isCronPattern, {
            error: 'must be a cron pattern in UTC, such as "0 16 * * 0" for Sundays at 16:00',
        })
        .optional(),
    protect_reads: z.boolean().optional(),
});

/** One of `hooks` of a target in profiles.yml. */
export const hookSchema = z
    .strictObject({
        on: z
            .union([z.enum(hookEvents).transform((one) => [one]), z.array(z.enum(hookEvents)).min(1)])
            .transform((events) => [...new Set(events)]),
        command: text.optional(),
        webhook: z
            .union([z.literal(""), z.url({ protocol: /^https?$/, error: "must be an http or https URL" })])
            .optional(),
        timeout_seconds: z.number().positive().max(600).optional(),
    })
    .refine(({ command, webhook }) => (command === undefined) !== (webhook === undefined), {
        error: "must have a command or a webhook, one of the two",
    });

export function isCronPattern(pattern: string): boolean {
    try {
        new Cron(pattern, { paused: true, timezone: "UTC" }).stop();
        return true;
    } catch {
        return false;
    }
}
