import { toSnakeCase } from "./artifacts.ts";
import { runStates, type StatusRow } from "./status-row.ts";

/** Supabase's REST API: the way to rebuild_status when the database itself does not answer. */
export interface StatusApi {
    readonly url: string;
    readonly serviceKey: string;
}

const patienceMs = 5000;

/** Inserts the row, or updates the one of the same run. */
export async function postStatus(api: StatusApi, row: StatusRow, signal?: AbortSignal): Promise<void> {
    const response = await request(api, "?on_conflict=run_id", signal, {
        method: "POST",
        headers: { "content-type": "application/json", prefer: "resolution=merge-duplicates,return=minimal" },
        body: JSON.stringify(toSnakeCase({ ...row, rowsProcessed: Math.round(row.rowsProcessed) })),
    });
    await response.body?.cancel();
}

/** Newest first. */
export async function fetchStatus(
    api: StatusApi,
    limit: number,
    signal?: AbortSignal,
): Promise<readonly StatusRow[]> {
    const response = await request(api, `?select=*&order=created_at.desc&limit=${limit}`, signal, {});
    const rows = (await response.json()) as readonly Record<string, unknown>[];
    return rows.map((row) => ({
        runId: String(row.run_id),
        status: runStates.find((state) => state === row.status) ?? "failed",
        phase: String(row.phase),
        phaseNumber: Number(row.phase_number),
        totalPhases: Number(row.total_phases),
        message: String(row.message ?? ""),
        rowsProcessed: Number(row.rows_processed),
        errorMessage: row.error_message === null ? null : String(row.error_message),
        durationSeconds: Number(row.duration_seconds),
        triggeredBy: String(row.triggered_by),
        createdAt: String(row.created_at),
        updatedAt: String(row.updated_at),
        completedAt: row.completed_at === null ? null : String(row.completed_at),
    }));
}

async function request(
    { url, serviceKey }: StatusApi,
    query: string,
    signal: AbortSignal | undefined,
    { headers, ...init }: RequestInit & { readonly headers?: Record<string, string> },
): Promise<Response> {
    const timeout = AbortSignal.timeout(patienceMs);
    const response = await fetch(`${url}/rest/v1/rebuild_status${query}`, {
        ...init,
        // A redirect would carry the key elsewhere.
        redirect: "error",
        signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
        headers: { ...headers, apikey: serviceKey, authorization: `Bearer ${serviceKey}` },
    });
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 300);
    throw new Error(`the REST API answered ${response.status}: ${text}`);
}
