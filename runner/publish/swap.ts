import { setTimeout as sleep } from "node:timers/promises";
import { PublishError, QueryError } from "../errors.ts";
import type { AdvisoryLock } from "../postgres/advisory-lock.ts";
import { type PostgresClient, withClient } from "../postgres/connect.ts";
import type { Report } from "../status/events.ts";
import { describeBlockers } from "./blockers.ts";
import { refusedState } from "./refused.ts";
import { schemas } from "./schemas.ts";
import { longestPatienceMs, swapBlock } from "./swap-block.ts";
import type { SwapPlan } from "./swap-plan.ts";

export interface SwapOptions {
    readonly client: PostgresClient;
    readonly url: string;
    readonly plan: SwapPlan;
    readonly lock: AdvisoryLock;
    /** How long to try. */
    readonly timeoutSeconds: number;
    readonly report: Report;
    readonly signal: AbortSignal;
}

export interface SwapOutcome {
    readonly attempts: number;
    /** How long readers could have been held up by the attempt that succeeded, its commit included. */
    readonly milliseconds: number;
}

/** Lock not available, deadlock, serialization failure, statement timeout. */
const transient: ReadonlySet<string | undefined> = new Set(["55P03", "40P01", "40001", "57014"]);
const longestPauseMs = 5000;
const noteEveryMs = 15_000;

/** Tries the swap until it gets all its locks at once; never waits in line for one, never ends anybody's session. */
export function swap({ plan, ...options }: SwapOptions): Promise<SwapOutcome> {
    const { generation } = plan;
    // Readers wait as long as we do, and mostly little patience is enough: 5, 10, then 20 ms.
    const block = (attempt: number) =>
        swapBlock(plan, options.lock, Math.min(5 * 2 ** (attempt - 1), longestPatienceMs));
    const leftover = `the finished build stays in ${schemas.build}: \`rebuild publish --resume\` swaps it in`;
    const oids = lockedOids(plan);
    return tryBlock({ ...options, generation, block, oids, leftover, statementTimeout: "10s" });
}

interface BlockOptions extends Omit<SwapOptions, "plan" | "lock"> {
    readonly generation: number;
    /** For an attempt, counted from 1: one statement that puts the generation in service or does nothing. */
    readonly block: (attempt: number) => string;
    /** Relations that it locks. */
    readonly oids: readonly number[];
    readonly statementTimeout: string;
    /** What stays when it is given up. */
    readonly leftover: string;
}

export async function tryBlock(options: BlockOptions): Promise<SwapOutcome> {
    const { client, generation, block, oids, timeoutSeconds, report, signal } = options;
    const started = performance.now();
    const deadline = started + timeoutSeconds * 1000;
    let noted = started;
    await client.query(`set statement_timeout = '${options.statementTimeout}'`);
    for (let attempts = 1, pauseMs = 100; ; attempts++, pauseMs = Math.min(pauseMs * 1.6, longestPauseMs)) {
        try {
            await client.query(block(attempts));
            return { attempts, milliseconds: await addCommit(client, generation) };
        } catch (error) {
            const milliseconds = await swappedAllTheSame(error, options);
            if (milliseconds !== undefined) return { attempts, milliseconds };
            if (signal.aborted || !isTransient(error)) throw refusal(error);
            const blockers = await describeBlockers(client, oids);
            if (performance.now() + pauseMs > deadline) throw gaveUp(options, attempts, blockers, error);
            if (performance.now() - noted > noteEveryMs) {
                noted = performance.now();
                report({
                    type: "note",
                    level: "info",
                    message: `the swap waits for its locks: ${blockers.join("; ") || "nobody holds them now"}`,
                });
            }
            await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal });
        }
    }
}

function isTransient(error: unknown): boolean {
    return error instanceof QueryError && transient.has(error.failure.code);
}

function refusal(error: unknown): unknown {
    if (!(error instanceof QueryError)) return error;
    const reason = error.message.split("\n")[0];
    return new PublishError(
        "swap",
        error.failure.code === refusedState
            ? `The swap was refused: ${reason}.`
            : `The swap failed: ${error.message}`,
        { cause: error },
    );
}

function gaveUp(
    { timeoutSeconds, leftover }: BlockOptions,
    attempts: number,
    blockers: readonly string[],
    cause: unknown,
): PublishError {
    const holders =
        blockers.length > 0
            ? `\n${blockers.map((line) => `- ${line}`).join("\n")}`
            : " nobody at this moment.";
    return new PublishError(
        "swap",
        `The swap did not get its locks within ${timeoutSeconds} s (${attempts} attempts). The generation in service is untouched, and ` +
            `${leftover}. The locks are held by:${holders}`,
        { cause },
    );
}

function lockedOids({ objects, archived }: SwapPlan): readonly number[] {
    return [
        ...objects.flatMap(({ incoming, outgoing }) => [incoming.oid, ...(outgoing ? [outgoing.oid] : [])]),
        ...archived.map(({ oid }) => oid),
    ];
}

/** A connection that broke during the block leaves open whether the server finished it: the record tells. */
async function swappedAllTheSame(
    error: unknown,
    { url, generation, signal }: BlockOptions,
): Promise<number | undefined> {
    if (!(error instanceof QueryError) || signal.aborted) return undefined;
    // 57P01 to 57P05: the server ended the session, perhaps after the commit and before it said so.
    if (!/^(08|57P)/.test(error.failure.code ?? "")) return undefined;
    return withClient({ url, applicationName: "rebuild publish" }, (client) =>
        readMilliseconds(client, generation),
    );
}

/**
 * The locks are held until the commit is on the disk, of which the block itself knows nothing: readers waited no longer
 * than until now.
 */
async function addCommit(client: PostgresClient, generation: number): Promise<number> {
    const { rows } = await client.query<{ milliseconds: number }>(
        `update ${schemas.meta}.generation
         set swap_milliseconds = swap_milliseconds + extract(epoch from clock_timestamp() - swapped_at) * 1000
         where id = $1 and mode = 'swap' returning swap_milliseconds as milliseconds`,
        [generation],
    );
    return rows[0]?.milliseconds ?? 0;
}

/** Absent: that generation is not in service. */
async function readMilliseconds(client: PostgresClient, generation: number): Promise<number | undefined> {
    const { rows } = await client.query<{ milliseconds: number }>(
        `select swap_milliseconds as milliseconds from ${schemas.meta}.generation where id = $1 and state = 'live'`,
        [generation],
    );
    return rows[0]?.milliseconds;
}
