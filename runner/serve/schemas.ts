import { publishOverrides } from "../publish/steps.ts";
import { runStates } from "../status/status-row.ts";

/** JSON Schemas of the routes: what checks the requests is also what the OpenAPI description shows. */
const text = { type: "string" } as const;
const time = { type: "string", format: "date-time" } as const;
const terms = {
    type: "array",
    maxItems: 50,
    items: { type: "string", minLength: 1, maxLength: 200 },
    description: "Terms of the selection grammar, as of --select.",
} as const;

export const problem = {
    type: "object",
    required: ["error", "message"],
    properties: { error: text, message: text, run_id: text },
} as const;

export const runParams = {
    type: "object",
    required: ["run_id"],
    properties: { run_id: { type: "string", pattern: "^[0-9A-Za-z][\\w-]{0,63}$" } },
} as const;

export const runsQuery = {
    type: "object",
    additionalProperties: false,
    properties: { limit: { type: "integer", minimum: 1, maximum: 100, default: 20 } },
} as const;

export const runBody = {
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
        select: terms,
        exclude: terms,
        publish: { type: "boolean", default: true },
        overrides: { type: "array", maxItems: 4, items: { type: "string", enum: publishOverrides } },
        test_mode: { type: "boolean", description: "Walk through all phases; change nothing." },
    },
} as const;

export const rollbackBody = {
    type: ["object", "null"],
    additionalProperties: false,
    properties: { to: { type: "integer", minimum: 1, description: "Number of a generation." } },
} as const;

export const accepted = {
    type: "object",
    properties: { run_id: text, status_url: text, events_url: text },
} as const;

const row = {
    type: "object",
    additionalProperties: true,
    properties: {
        run_id: text,
        status: { type: "string", enum: runStates },
        phase: text,
        phase_number: { type: "integer" },
        total_phases: { type: "integer" },
        message: text,
        rows_processed: { type: "integer" },
        error_message: { type: ["string", "null"] },
        duration_seconds: { type: "number" },
        triggered_by: text,
        created_at: text,
        updated_at: text,
        completed_at: { type: ["string", "null"] },
        is_silent: { type: "boolean", description: "Not ended, and not heard of for a minute." },
    },
} as const;

export const status = {
    type: "object",
    properties: {
        verdict: {
            type: "object",
            properties: {
                state: { type: "string", enum: ["ok", "failed", "too old", "unknown"] },
                message: text,
            },
        },
        current: row,
        estimated_end_at: time,
        next_run_at: time,
        last: row,
        from: text,
        problem: text,
    },
} as const;

export const runs = {
    type: "object",
    properties: { runs: { type: "array", items: row }, from: text, problem: text },
} as const;

/** The run record, as `rebuild run --json` prints it. */
export const record = { type: "object", additionalProperties: true } as const;
