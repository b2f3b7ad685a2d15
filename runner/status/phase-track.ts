import type { Phase, RunEvent } from "./events.ts";
import { formatCount } from "./format.ts";
import type { RunState } from "./status-row.ts";

/** A part of a run that has a name for people: some of the runner's steps, and models. */
export interface RunPhase {
    readonly name: string;
    readonly steps: ReadonlySet<string>;
    readonly models: ReadonlySet<string>;
}

/** How far a run is. */
export interface Progress {
    readonly status: RunState;
    readonly phase: string;
    /** From 1; never goes back. */
    readonly phaseNumber: number;
    readonly totalPhases: number;
    readonly message: string;
    /** Rows extracted, built and loaded so far. */
    readonly rowsProcessed: number;
}

const stateOf: Readonly<Record<Phase | "refresh", RunState>> = {
    lock: "starting",
    extract: "extracting",
    seed: "transforming",
    build: "transforming",
    test: "transforming",
    audit: "transforming",
    publish: "loading",
    refresh: "refreshing",
};

/** Steps of the publish from which on nothing is loaded any more. */
const refreshing = new Set(["index", "refresh", "verify", "built", "swap", "swapped"]);

/**
 * Follows a run's events. Models of several phases are built side by side: the phase shown is the first one that
 * still has a model to come, so it never goes back.
 */
export class PhaseTrack {
    readonly #phases: readonly RunPhase[];
    /** Models of each phase that have not ended. */
    readonly #waiting: readonly Set<string>[];
    readonly #moving = new Map<string, number>();
    #step: Phase | "refresh" = "lock";
    #index = 0;
    #message = "taking the lock";
    #rows = 0;

    /** Of the models, only those among `names` are built in this run. */
    constructor(phases: readonly RunPhase[], names: ReadonlySet<string>) {
        this.#phases = phases;
        this.#waiting = phases.map(({ models }) => new Set([...models].filter((name) => names.has(name))));
    }

    follow(event: RunEvent): void {
        switch (event.type) {
            case "phase-start":
                this.#enter(event.phase, event.message ?? event.phase);
                break;
            case "publish-step":
                this.#enter(refreshing.has(event.step) ? "refresh" : "publish", event.step);
                break;
            case "node-end": {
                const { name, kind, rows = 0 } = event.result;
                this.#moving.delete(name);
                if (kind !== "test" && kind !== "replay") this.#rows += rows;
                if (kind === "model" || kind === "seed") {
                    for (const waiting of this.#waiting) waiting.delete(name);
                }
                this.#message = `${kind} ${formatCount(event.index)} of ${formatCount(event.total)}: ${name}`;
                this.#advance();
                break;
            }
            case "progress":
                this.#moving.set(event.name, event.rows);
                this.#message = `${event.name}: ${formatCount(event.rows)} rows`;
                break;
        }
    }

    /** Of a model, whatever the run as a whole is at. */
    phaseOf(model: string): Pick<Progress, "phase" | "phaseNumber"> | undefined {
        const index = this.#phases.findIndex(({ models }) => models.has(model));
        return index < 0 ? undefined : { phase: this.#phases[index]!.name, phaseNumber: index + 1 };
    }

    /** Into a phase by its place, whatever happens in it: for a run that only pretends. */
    jump(index: number, step: Phase | "refresh", message: string): void {
        this.#step = step;
        this.#index = index;
        this.#message = message;
    }

    get progress(): Progress {
        const moving = [...this.#moving.values()].reduce((sum, rows) => sum + rows, 0);
        return {
            status: stateOf[this.#step],
            phase: this.#phases[this.#index]?.name ?? this.#step,
            phaseNumber: this.#index + 1,
            totalPhases: this.#phases.length,
            message: this.#message,
            rowsProcessed: this.#rows + moving,
        };
    }

    #enter(step: Phase | "refresh", message: string): void {
        this.#step = step;
        this.#message = message;
        this.#moving.clear();
        this.#advance();
    }

    #advance(): void {
        const building = this.#step === "seed" || this.#step === "build";
        const found = building
            ? this.#waiting.findIndex(({ size }) => size > 0)
            : this.#phases.findIndex(({ steps }) => steps.has(this.#step));
        this.#index = Math.max(this.#index, found);
    }
}
