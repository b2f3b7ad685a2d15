import type { Problem } from "../errors.ts";

export const triggers = ["manual", "cron", "api"] as const;
export type Trigger = (typeof triggers)[number];

/** Supabase's REST API, through which a run's status goes where the database cannot be reached. */
export interface RestApi {
    readonly url: string;
    readonly serviceKey: string;
}

/** What the environment says to a run and to the service, beside the connections of profiles.yml. */
export interface Settings {
    readonly triggeredBy: Trigger;
    /** Walk through all phases and statuses; extract, build and publish nothing. */
    readonly testMode: boolean;
    readonly restApi?: RestApi;
    /** Of whoever may start runs over HTTP. */
    readonly serviceToken?: string;
    /** Given by the service that starts a run. */
    readonly runId?: string;
}

const shortestToken = 16;
const runIdPattern = /^[0-9A-Za-z][\w-]{7,63}$/;

/** The environment, checked; an empty variable counts as not set. */
export function readSettings(
    env: Readonly<Record<string, string | undefined>>,
    problems: Problem[],
): Settings {
    const problem = (key: string, message: string) => problems.push({ file: "environment", key, message });
    const choose = <Choice extends string>(name: string, choices: readonly Choice[], usual: Choice) => {
        const found = env[name]?.trim().toLowerCase() || usual;
        if (!choices.includes(found as Choice))
            problem(name, `found ${JSON.stringify(env[name])}; allowed are ${choices.join(", ")}`);
        return found as Choice;
    };
    const triggeredBy = choose("TRIGGERED_BY", triggers, "manual");
    const testMode = choose("TEST_MODE", ["true", "false"], "false") === "true";
    const restApi = readRestApi(env, problem);
    const serviceToken = env.REBUILD_SERVICE_TOKEN || undefined;
    if (serviceToken !== undefined && serviceToken.length < shortestToken) {
        problem(
            "REBUILD_SERVICE_TOKEN",
            `has ${serviceToken.length} characters, which can be guessed; at least ${shortestToken} are wanted. Make one by: openssl rand -hex 32`,
        );
    }
    const runId = env.REBUILD_RUN_ID || undefined;
    if (runId !== undefined && !runIdPattern.test(runId))
        problem("REBUILD_RUN_ID", "must be 8 to 64 letters, digits, _ and -");
    return {
        triggeredBy,
        testMode,
        ...(restApi && { restApi }),
        ...(serviceToken !== undefined && { serviceToken }),
        ...(runId !== undefined && { runId }),
    };
}

function readRestApi(
    env: Readonly<Record<string, string | undefined>>,
    problem: (key: string, message: string) => void,
): RestApi | undefined {
    const { SUPABASE_URL: url, SUPABASE_SERVICE_KEY: serviceKey } = env;
    if (url) {
        const isLocal = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\/?$/.test(url);
        if (!isLocal && !/^https:\/\/[^/@\s?#]+\/?$/.test(url)) {
            problem(
                "SUPABASE_URL",
                "must be the project's address, such as https://abcdefgh.supabase.co, without path or password",
            );
        }
    }
    if (url && serviceKey) return { url: url.replace(/\/$/, ""), serviceKey };
    // The address alone is no half of a setting: others have uses for it, too.
    if (serviceKey)
        problem("SUPABASE_URL", "is not set, but SUPABASE_SERVICE_KEY is: the REST API needs both");
    return undefined;
}
