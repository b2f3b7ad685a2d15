import { ensureWorld, openSandbox, withSandbox } from "../../sandbox/sandbox.ts";
import { describeConnection } from "../postgres/connect.ts";
import type { PublishConnection, SourceConnection, Target } from "../project/project.ts";

export type OpenSource = Exclude<SourceConnection, { readonly type: "sandbox" }>;
export type OpenPublish = Extract<PublishConnection, { readonly type: "postgres" }>;

export interface Connections {
    readonly source: OpenSource;
    readonly publish?: OpenPublish;
    /** When the sandbox, which is also published to, was last filled with another world. */
    readonly worldLoadedAt?: Date;
}

/** Time a read of the sandbox may take, in seconds: it is small and local. */
const sandboxTimeBudgetSeconds = 600;

/**
 * The target's connections with the sandbox, where it is one of them, started for as long as the callback runs, or
 * longer.
 */
export async function withConnections<T>(
    target: Target,
    options: {
        readonly root: string;
        readonly note: (message: string) => void;
        readonly signal: AbortSignal;
        /** Ends the sandbox later. Default: with the callback. */
        readonly defer?: (cleanup: () => Promise<void>) => void;
    },
    callback: (connections: Connections) => Promise<T>,
): Promise<T> {
    const { source, publish } = target;
    if (source.type !== "sandbox" && publish?.type !== "sandbox") {
        return callback({ source, ...(publish && { publish }) });
    }
    const within = options.defer ? deferSandbox(options.defer) : withSandbox;
    return within(options, async (url) => {
        const world = source.type === "sandbox" ? await ensureWorld(url, options) : undefined;
        return callback({
            source:
                source.type === "sandbox"
                    ? {
                          type: "postgres",
                          url,
                          schema: "public",
                          connections: 3,
                          timeBudgetSeconds: sandboxTimeBudgetSeconds,
                      }
                    : source,
            ...(publish && {
                publish: {
                    ...publish,
                    type: "postgres",
                    ...("url" in publish ? { url: publish.url } : { url }),
                },
            }),
            ...(world && publish?.type === "sandbox" && { worldLoadedAt: world.loadedAt }),
        });
    });
}

function deferSandbox(defer: (cleanup: () => Promise<void>) => void): typeof withSandbox {
    return async (options, callback) => {
        const sandbox = await openSandbox(options);
        defer(sandbox.stop);
        return callback(sandbox.url);
    };
}

/** One line for people: where rows come from and where they go, without passwords. */
export function describeTarget(target: Target): string {
    const from = describeSide(target.source);
    const to = target.publish ? describeSide(target.publish) : undefined;
    if (to === undefined) return `from ${from}, published nowhere`;
    return from === to ? `from and to ${from}` : `from ${from} to ${to}`;
}

function describeSide(side: SourceConnection | PublishConnection): string {
    switch (side.type) {
        case "sandbox":
            return "the sandbox (embedded Postgres under target/)";
        case "files":
            return `the files in ${side.path}`;
        case "postgres":
            return describeConnection(side.url);
    }
}
