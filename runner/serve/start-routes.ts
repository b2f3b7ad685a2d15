import type { FastifyInstance } from "fastify";
import { BusyError, type RunRequest } from "./run-supervisor.ts";
import { accepted, problem, rollbackBody, runBody } from "./schemas.ts";
import type { ServiceOptions } from "./service-options.ts";

interface RunBody {
    readonly select?: readonly string[];
    readonly exclude?: readonly string[];
    readonly publish?: boolean;
    readonly overrides?: readonly string[];
    readonly test_mode?: boolean;
}

const answers = { 202: accepted, 400: problem, 401: problem, 403: problem, 409: problem, 413: problem };
const start = { access: "start" } as const;
const security = [{ token: [] }];

export function addStartRoutes(app: FastifyInstance, { supervisor, otherRun }: ServiceOptions): void {
    app.post<{ Body: RunBody | null }>(
        "/runs",
        {
            config: start,
            schema: {
                summary: "Start a run; 409 with its id while one is under way",
                body: runBody,
                response: answers,
                security,
            },
        },
        async ({ body }, reply) => reply.code(202).send(await begin(runRequest(body ?? {}))),
    );
    app.post<{ Body: { readonly to?: number } | null }>(
        "/rollback",
        {
            config: start,
            schema: {
                summary: "Put an archived generation back into service",
                body: rollbackBody,
                response: answers,
                security,
            },
        },
        async ({ body }, reply) => {
            const args = ["rollback", ...(body?.to === undefined ? [] : [`--to=${body.to}`])];
            return reply.code(202).send(await begin({ args, triggeredBy: "api", testMode: false }));
        },
    );

    async function begin(request: RunRequest) {
        if (supervisor.current) throw new BusyError(supervisor.current.runId);
        const other = await otherRun();
        if (other !== undefined) throw new BusyError(other);
        const { runId } = supervisor.start(request);
        return { run_id: runId, status_url: `/runs/${runId}`, events_url: `/runs/${runId}/events` };
    }
}

/** Values are joined to their options, so that none of them can be read as an option itself. */
function runRequest({
    select = [],
    exclude = [],
    publish = true,
    overrides = [],
    test_mode,
}: RunBody): RunRequest {
    return {
        args: [
            "run",
            ...select.map((term) => `--select=${term}`),
            ...exclude.map((term) => `--exclude=${term}`),
            ...(publish ? [] : ["--no-publish"]),
            ...overrides.map((gate) => `--override=${gate}`),
        ],
        triggeredBy: "api",
        ...(test_mode !== undefined && { testMode: test_mode }),
    };
}
