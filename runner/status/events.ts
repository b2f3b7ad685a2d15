/** Result of one node of the graph; `not_run` is what nobody got to. */
export type NodeStatus = "success" | "failed" | "warned" | "skipped" | "not_run";

export interface NodeResult {
    readonly name: string;
    readonly kind: "source" | "seed" | "model" | "test" | "replay" | "publish";
    /** Materialization, test type, perturbation or file. */
    readonly detail: string;
    readonly status: NodeStatus;
    readonly seconds: number;
    /** Rows of a table; failing rows of a test; rows that a replay compared. */
    readonly rows?: number;
    readonly columns?: number;
    readonly bytes?: number;
    /** Why it failed or was skipped, scrubbed. */
    readonly message?: string;
}

/** What the runner itself does in a run; the phases of rebuild.yml are made of these and of models. */
export type Phase = "lock" | "extract" | "seed" | "build" | "test" | "audit" | "publish";

/** What a run says of itself. The status room turns events into lines, bars, JSON and artifacts. */
export type RunEvent =
    | {
          readonly type: "run-start";
          readonly command: string;
          readonly target: string;
          readonly triggeredBy: string;
      }
    | {
          readonly type: "run-end";
          readonly status: string;
          readonly exitCode: number;
          readonly seconds: number;
          readonly reason?: string;
          readonly message?: string;
      }
    /** The steps of runner/publish, such as `load` and `swap`. */
    | { readonly type: "publish-step"; readonly step: string }
    | {
          readonly type: "phase-start";
          readonly phase: Phase;
          readonly total?: number;
          readonly message?: string;
      }
    | {
          readonly type: "phase-end";
          readonly phase: Phase;
          readonly seconds: number;
          readonly message?: string;
      }
    | {
          readonly type: "node-start";
          readonly name: string;
          readonly kind: NodeResult["kind"];
          readonly detail: string;
          readonly index: number;
          readonly total: number;
      }
    | {
          readonly type: "node-end";
          readonly result: NodeResult;
          readonly index: number;
          readonly total: number;
      }
    /** At most about ten a second. */
    | {
          readonly type: "progress";
          readonly name: string;
          readonly rows: number;
          readonly bytes: number;
          readonly totalRows?: number;
      }
    | { readonly type: "note"; readonly level: "info" | "warn"; readonly message: string };

export type Report = (event: RunEvent) => void;
