import type { FastifyInstance } from "fastify";
import { toSnakeCase } from "../status/artifacts.ts";
import { type EventStream, openEventStream } from "./event-stream.ts";
import { refuse } from "./refuse.ts";
import type { SupervisedRun } from "./run-supervisor.ts";
import { problem, record, runParams, runs, runsQuery, status } from "./schemas.ts";
import type { ServiceOptions } from "./service-options.ts";

const open = { access: "open" } as const;
const read = { access: "read" } as const;
const mostStreams = 50;

export function addReadRoutes(app: FastifyInstance, options: ServiceOptions): void {
    const { supervisor, report, findRecord, notReady, nextRun, metrics } = options;
    let streams = 0;

    app.get(
        "/healthz",
        { config: open, schema: { summary: "The service lives", response: { 200: record } } },
        async () => ({ status: "ok" }),
    );
    app.get(
        "/readyz",
        {
            config: open,
            schema: { summary: "A run could be made now", response: { 200: record, 503: problem } },
        },
        async (_, reply) => {
            const reason = await notReady();
            return reason === undefined ? { status: "ok" } : refuse(reply, 503, "not ready", reason);
        },
    );
    app.get(
        "/status",
        {
            config: read,
            schema: { summary: "The run under way, and whether all is well", response: { 200: status } },
        },
        async () => {
            const { verdict, current, estimatedEndAt, runs: known, from, problem: why } = await report();
            const last = known.find(({ runId }) => runId !== current?.runId);
            const live = supervisor.current;
            const shown =
                live?.progress && live.runId === current?.runId ? { ...current, ...live.progress } : current;
            return toSnakeCase({
                verdict,
                ...(shown ? { current: shown } : live && { current: describeStart(live) }),
                ...(estimatedEndAt !== undefined && { estimatedEndAt }),
                ...(nextRun() && { nextRunAt: nextRun()!.toISOString() }),
                ...(last && { last }),
                from,
                ...(why !== undefined && { problem: why }),
            });
        },
    );
    app.get<{ Querystring: { readonly limit: number } }>(
        "/runs",
        {
            config: read,
            schema: {
                summary: "The last runs",
                querystring: runsQuery,
                response: { 200: runs, 400: problem },
            },
        },
        async ({ query }) => {
            const { runs: known, from, problem: why } = await report();
            return toSnakeCase({
                runs: known.slice(0, query.limit),
                from,
                ...(why !== undefined && { problem: why }),
            });
        },
    );
    app.get<{ Params: { readonly run_id: string } }>(
        "/runs/:run_id",
        {
            config: read,
            schema: {
                summary: "One run: its record",
                params: runParams,
                response: { 200: record, 404: problem },
            },
        },
        async ({ params }, reply) => {
            const found = await findRun(params.run_id);
            return found ?? refuse(reply, 404, "not found", `no run ${params.run_id} is known`);
        },
    );
    app.get<{ Params: { readonly run_id: string } }>(
        "/runs/:run_id/events",
        {
            config: read,
            schema: {
                summary: "What a run does, as server-sent events from its beginning; `end` is the last",
                params: runParams,
            },
        },
        async ({ params: { run_id: runId } }, reply) => {
            const run = supervisor.find(runId);
            const ended = run && !run.end ? undefined : await findRun(runId);
            if (!run && !ended) return refuse(reply, 404, "not found", `no run ${runId} is known`);
            if (streams >= mostStreams) return refuse(reply, 503, "busy", `${mostStreams} streams are open`);
            streams++;
            reply.hijack();
            let stopListening = () => {};
            const stream = openEventStream(reply.raw, () => {
                streams--;
                stopListening();
            });
            for (const message of run?.messages ?? []) stream.send(message);
            stopListening = follow(runId, stream);
        },
    );
    app.get("/metrics", { config: read, schema: { summary: "For Prometheus" } }, async (_, reply) => {
        const { contentType, text } = await metrics();
        return reply.type(contentType).send(text);
    });
    app.get("/openapi.json", { config: open, schema: { summary: "This description" } }, async () =>
        app.swagger(),
    );

    function follow(runId: string, stream: EventStream): () => void {
        return supervisor.listen(runId, (message) => {
            if (message) return stream.send(message);
            findRun(runId).then(
                (found) => stream.end(found ?? { runId }),
                () => stream.end({ runId }),
            );
        });
    }

    async function findRun(runId: string): Promise<unknown> {
        const found = await findRecord(runId);
        if (found !== undefined) return found;
        const run = supervisor.find(runId);
        if (run) return toSnakeCase(run.end ? describeEnd(run) : describeStart(run));
        const { runs: known } = await report();
        return toSnakeCase(known.find((one) => one.runId === runId));
    }
}

function describeStart({ runId, startedAt, request, progress }: SupervisedRun) {
    const { triggeredBy } = request;
    return { runId, status: "starting", triggeredBy, createdAt: startedAt.toISOString(), ...progress };
}

/** A process that ended before it wrote its record. */
function describeEnd({ runId, startedAt, request, end }: SupervisedRun) {
    const how = end?.signal ? `by ${end.signal}` : `with exit code ${end?.exitCode}`;
    return {
        runId,
        status: "failed",
        exitCode: end?.exitCode ?? null,
        startedAt: startedAt.toISOString(),
        triggeredBy: request.triggeredBy,
        error: `its process ended ${how} before it could write its record; the service's log says why`,
    };
}
