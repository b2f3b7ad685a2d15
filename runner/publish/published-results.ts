import type { PostgresClient } from "../postgres/connect.ts";
import type { NodeResult, Report } from "../status/events.ts";
import { liveName } from "./build-target.ts";
import type { Published } from "./published.ts";

/** Events and results, one a published object. */
export class PublishedResults {
    private readonly objects: readonly Published[];
    private readonly report: Report;
    private readonly started = new Map<string, number>();
    /** Seconds of the load or the refresh: what came after it was for all objects together. */
    private readonly seconds = new Map<string, number>();

    constructor(objects: readonly Published[], report: Report) {
        this.objects = objects;
        this.report = report;
    }

    start(object: Published): void {
        this.started.set(object.model, performance.now());
        this.report({ type: "node-start", ...describe(object), ...this.place(object) });
    }

    end(object: Published): void {
        const started = this.started.get(object.model);
        if (started !== undefined) this.seconds.set(object.model, (performance.now() - started) / 1000);
    }

    /** `kept`: models that were in service already, with the same rows. */
    async succeed(
        client: PostgresClient,
        rowCounts: ReadonlyMap<string, number>,
        kept: ReadonlySet<string> = new Set(),
    ): Promise<readonly NodeResult[]> {
        const results: NodeResult[] = [];
        for (const object of this.objects) {
            const rows = rowCounts.get(object.model);
            const { rows: sizes } = await client.query<{ bytes: number; columns: number }>(
                `select pg_table_size(oid)::float8 as bytes, relnatts::int as columns from pg_class where oid = to_regclass($1)`,
                [liveName(object)],
            );
            results.push({
                ...this.result(object, "success"),
                ...(kept.has(object.model) && { detail: `${describe(object).detail}, unchanged` }),
                ...(rows !== undefined && { rows }),
                ...sizes[0],
            });
        }
        for (const [index, result] of results.entries()) {
            this.report({ type: "node-end", result, index: index + 1, total: results.length });
        }
        return results;
    }

    /** What was loaded already only shares the fate of the whole: the reason is told once, by the run. */
    fail(message: string): void {
        for (const object of this.objects.filter(({ model }) => this.started.has(model))) {
            const isDone = this.seconds.has(object.model);
            this.report({
                type: "node-end",
                result: {
                    ...this.result(object, isDone ? "not_run" : "failed"),
                    ...(!isDone && { message }),
                },
                ...this.place(object),
            });
        }
    }

    private result(object: Published, status: NodeResult["status"]): NodeResult {
        return { ...describe(object), status, seconds: this.seconds.get(object.model) ?? 0 };
    }

    private place(object: Published): { readonly index: number; readonly total: number } {
        return { index: this.objects.indexOf(object) + 1, total: this.objects.length };
    }
}

function describe(object: Published): Pick<NodeResult, "name" | "kind" | "detail"> {
    return {
        name: `${object.schema}.${object.name}`,
        kind: "publish",
        detail: object.kind === "table" ? "table" : "materialized view",
    };
}
