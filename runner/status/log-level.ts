import type { RunEvent } from "./events.ts";

/** From everything to nothing but failures. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export function isShown(level: LogLevel, wanted: LogLevel): boolean {
    return logLevels.indexOf(level) >= logLevels.indexOf(wanted);
}

/** How much an event matters. What stands in the way of every line at info, such as passing tests, is debug. */
export function levelOf(event: RunEvent): LogLevel {
    switch (event.type) {
        case "progress":
        case "node-start":
        case "publish-step":
            return "debug";
        case "note":
            return event.level;
        case "run-end":
            return event.exitCode === 0 ? "info" : "error";
        case "node-end": {
            const { status, kind } = event.result;
            if (status === "failed") return "error";
            if (status === "warned") return "warn";
            return kind === "test" && status === "success" ? "debug" : "info";
        }
        default:
            return "info";
    }
}
