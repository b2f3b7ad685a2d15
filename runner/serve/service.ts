import swagger from "@fastify/swagger";
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { hasToken } from "./bearer.ts";
import { addReadRoutes } from "./read-routes.ts";
import { refuse } from "./refuse.ts";
import { BusyError } from "./run-supervisor.ts";
import type { ServiceOptions } from "./service-options.ts";
import { addStartRoutes } from "./start-routes.ts";

declare module "fastify" {
    interface FastifyContextConfig {
        /** Who may ask: anybody, whoever may read, whoever may start runs. */
        readonly access?: "open" | "read" | "start";
    }
}

const mostBodyBytes = 16 * 1024;
const mostConnections = 200;
/** For the whole of a request, and for its head: who sends slower is cut off. */
const requestMs = 10_000;
const headMs = 5_000;

/** The HTTP service, not listening yet. */
export async function createService(options: ServiceOptions): Promise<FastifyInstance> {
    const app = fastify({
        bodyLimit: mostBodyBytes,
        forceCloseConnections: true,
        requestTimeout: requestMs,
        keepAliveTimeout: 5_000,
        routerOptions: { maxParamLength: 100 },
        http: { headersTimeout: headMs, connectionsCheckingInterval: 1_000 },
        ajv: { customOptions: { removeAdditional: false, coerceTypes: "array", allErrors: true } },
    });
    app.server.maxConnections = mostConnections;
    await app.register(swagger, { openapi: describeService(options) });
    const { token, protectReads, log } = options;

    // Before a byte of the body is read.
    app.addHook("onRequest", async (request, reply) => {
        const { access } = request.routeOptions.config;
        if (access === "start" && token === undefined) {
            return refuse(
                reply,
                403,
                "not configured",
                "REBUILD_SERVICE_TOKEN is not set: nothing can be started over HTTP",
            );
        }
        const guarded = access === "start" || (access === "read" && protectReads && token !== undefined);
        if (guarded && !hasToken(request.headers.authorization, token!)) {
            reply.header("www-authenticate", 'Bearer realm="rebuild"');
            return refuse(
                reply,
                401,
                "unauthorized",
                "a valid token is wanted: Authorization: Bearer <token>",
            );
        }
    });
    app.addHook("onResponse", async (request, reply) => {
        const { method, url } = request;
        log(`${method} ${url} ${reply.statusCode} in ${reply.elapsedTime.toFixed(0)} ms`, "debug");
    });
    app.setNotFoundHandler((request, reply) =>
        refuse(
            reply,
            404,
            "not found",
            `there is no ${request.method} ${request.url.slice(0, 100)}; see /openapi.json`,
        ),
    );
    app.setErrorHandler((error: FastifyError, request, reply) => {
        if (error instanceof BusyError) {
            return reply.code(409).send({ error: "busy", message: error.message, run_id: error.runId });
        }
        const code = error.statusCode ?? 500;
        if (code < 500) return refuse(reply, code, error.validation ? "invalid" : "refused", error.message);
        log(`${request.method} ${request.url}: ${error.stack ?? error.message}`, "error");
        return refuse(reply, 500, "internal", "the service failed; its log says why");
    });
    // A body may be left out, with or without its type.
    app.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
        if (body === "") return done(null, null);
        try {
            done(null, JSON.parse(String(body)));
        } catch {
            done(Object.assign(new Error("the body is not JSON"), { statusCode: 400 }));
        }
    });

    addReadRoutes(app, options);
    addStartRoutes(app, options);
    return app;
}

function describeService({ version }: ServiceOptions) {
    return {
        info: {
            title: "rebuild",
            version,
            description: "Runs, their progress and their records; one run at a time.",
        },
        components: { securitySchemes: { token: { type: "http" as const, scheme: "bearer" } } },
    };
}
