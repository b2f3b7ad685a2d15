import type { LintLevel, LintRule } from "./lint-rules.ts";

/** A validated, frozen project: everything that was read from disk, nothing compiled yet. */
export interface Project {
    /** Absolute path of the folder that holds rebuild.yml. */
    readonly root: string;
    readonly name: string;
    readonly target: Target;
    /** Variables of rebuild.yml with `--vars` laid over them. */
    readonly vars: Readonly<Record<string, VarValue>>;
    /** Levels of lint rules that are not warnings. */
    readonly lint: Readonly<Partial<Record<LintRule, LintLevel>>>;
    /** What the parts of a run are called; absent: the runner's own steps. */
    readonly phases?: readonly PhaseRule[];
    readonly serve?: ServeSettings;
    readonly audit: AuditSettings;
    readonly sources: readonly Source[];
    readonly models: readonly ModelFile[];
    readonly seeds: readonly Seed[];
    readonly assertions: readonly AssertionFile[];
    readonly macros: readonly MacroFile[];
    /** Environment seen by `{{env_var}}`. */
    readonly env: Readonly<Record<string, string | undefined>>;
}

export type VarValue =
    | string
    | number
    | boolean
    | null
    | readonly VarValue[]
    | { readonly [key: string]: VarValue };

/** Steps of the runner that a phase may be made of. */
export const phaseSteps = ["extract", "seed", "build", "test", "publish", "refresh"] as const;
export type PhaseStep = (typeof phaseSteps)[number];

/** One entry of `phases` in rebuild.yml. */
export interface PhaseRule {
    readonly name: string;
    readonly steps: readonly PhaseStep[];
    /** Terms of the selection grammar: `tag:history`, `path:models/base`, names. */
    readonly models: readonly string[];
    /** Takes the models that no other phase names. */
    readonly rest: boolean;
}

/** `serve` of rebuild.yml. */
export interface ServeSettings {
    /** Cron pattern, UTC; absent: runs start when somebody asks for them. */
    readonly schedule: string | undefined;
    /** Reading needs the token too, except /healthz and /readyz. Default false. */
    readonly protectReads: boolean;
}

export const hookEvents = ["success", "failure", "skipped", "cancelled"] as const;
export type HookEvent = (typeof hookEvents)[number];

/** What is told of a run's end: a command gets the run record on its standard input, a webhook as its body. */
export interface Hook {
    readonly on: readonly HookEvent[];
    readonly call: { readonly command: string } | { readonly webhook: string };
    /** Default 30. */
    readonly timeoutSeconds: number;
}

/** What every run and test replays of a project that has models with `as_of` and outcomes. */
export interface AuditSettings {
    /** Default 5: the first, the last and the busiest, the others by the seed. */
    readonly days: number;
    /** Default 1. */
    readonly seed: number;
    /**
     * Size of the part of the history on which a day is replayed, in events. Default 1500; short histories are replayed
     * whole.
     */
    readonly history: number | "whole";
    /** Why nothing is replayed. Default: it is. */
    readonly off?: string;
}

/** One target of profiles.yml, with `${ENV}` filled in and paths made absolute. */
export interface Target {
    readonly name: string;
    readonly source: SourceConnection;
    /** Absent: this target builds and tests, and publishes nowhere. */
    readonly publish?: PublishConnection;
    readonly warehouse: WarehouseSettings;
    /** Default: none. */
    readonly hooks?: readonly Hook[];
}

export type SourceConnection =
    | {
          readonly type: "postgres";
          readonly url: string;
          readonly schema: string;
          readonly connections: number;
          readonly timeBudgetSeconds: number;
      }
    /** A folder of CSV (also .csv.gz) or Parquet files, one a source, named by its identifier. */
    | { readonly type: "files"; readonly path: string }
    /** The embedded Postgres under target/; replaced by a `postgres` connection once it runs. */
    | { readonly type: "sandbox" };

export type PublishConnection =
    | ({ readonly type: "postgres"; readonly url: string } & PublishSettings)
    | ({ readonly type: "sandbox" } & PublishSettings);

export interface PublishSettings {
    /** Schema of the published tables and views. Default public. */
    readonly schema: string;
    /** Old generations kept for a rollback. Default 1. */
    readonly keepGenerations: number;
    /** Byte rate of the load. Default: none. */
    readonly maxBytesPerSecond?: number;
    /** Size that the database may reach by a publish. Default: not watched. */
    readonly maxDatabaseBytes?: number;
    /** How long to try the swap before giving up. Default 300. */
    readonly swapTimeoutSeconds: number;
    /** A column may hold values as often as this share of how often it does in service. Default 0.5. */
    readonly valueShareMin: number;
    /** Row count of the new generation against the one in service, as shares: default 0.9 to 1.5. */
    readonly rowCountBand: { readonly min: number; readonly max: number };
}

export interface WarehouseSettings {
    /** Absolute path of the last good warehouse. Default target/warehouse.duckdb. */
    readonly path: string;
    /** DuckDB's memory_limit, such as `1GB`. Default: 70 % of the container's limit. */
    readonly memoryLimit: string;
    /** Default: the cores this process may use. */
    readonly threads: number;
    /** Absolute path. Default target/spill. */
    readonly spillDirectory: string;
    /** Models built side by side. Default 4. */
    readonly concurrency: number;
    /** Models are stored compressed: two thirds of the disk, for a tenth more of the time. Default false. */
    readonly compress?: boolean;
}

/** One source table, as models/sources.yml declares it. */
export interface Source {
    readonly name: string;
    /** Name of the table or file. Default: the source's name. */
    readonly identifier: string;
    readonly description: string;
    readonly columns: readonly SourceColumn[];
    /** Columns that identify a row, where the source guarantees it. */
    readonly primaryKey: readonly string[];
    /** The whole table is known only after the event that `clock` dates. */
    readonly known: "before" | "after";
    /** Columns in which rows agree that are versions of one thing; empty: no two rows are. */
    readonly identity: readonly string[];
    /** Of a source of events: those that agree in these columns could have ended like each other. Default: all. */
    readonly alike?: readonly string[];
    /** Columns that name what has a history: a replay on a part of the history takes all events of those on its day. */
    readonly entities?: readonly string[];
    /** The date that clocks the outcomes of this table. */
    readonly clock?: SourceClock;
    readonly file: string;
}

export interface SourceClock {
    /** The date column: in this table, or in `source` when that is given. */
    readonly column: string;
    readonly source?: string;
    /** Columns shared with `source` that lead to the date. */
    readonly on?: readonly string[];
}

export interface SourceColumn {
    readonly name: string;
    /**
     * DuckDB's type, lower case: bigint, smallint, integer, varchar, date, decimal(12,2), timestamptz, interval,
     * boolean, double.
     */
    readonly type: string;
    /** May be missing from the real table: the model then sees NULL. */
    readonly optional: boolean;
    /** NULLs are allowed. */
    readonly nullable: boolean;
    /** `after`: an outcome. */
    readonly known: "before" | "after";
    /** The column or its source says when it is known, or that it is a surrogate or a version. */
    readonly isKnownDeclared: boolean;
    /**
     * A number given by the database: what it is means nothing, but among versions of one thing the higher is the
     * later.
     */
    readonly surrogate: boolean;
    /** When the row was written: it orders versions of one thing, and tells nothing else that was known before. */
    readonly version: boolean;
    /** Flows only into columns of the same tier, so that these can be left out: see the dependence matrix. */
    readonly tier?: string;
    /** Values of an outcome column that are known before all the same. */
    readonly knownBeforeValues: readonly string[];
    readonly description: string;
}

export type Materialization =
    | "table"
    | "view"
    | "ephemeral"
    | "external"
    /** A table of the warehouse that the publish step copies to the target. */
    | "postgres_table"
    /** Not built in DuckDB: its SQL is Postgres', over published tables. */
    | "postgres_materialized_view";

/** What columns that know too much are looked for by: one that beats the yardstick alone is pointed at. */
export interface Tripwires {
    /** A boolean column: what is to be predicted, true for some rows of an event. */
    readonly outcome: string;
    /** The best honest single predictor that there is. */
    readonly yardstick: string;
}

/** Configuration of a model or seed after file, yml, folder and default were laid over each other. */
export interface ModelConfig {
    readonly materialized: Materialization;
    readonly enabled: boolean;
    /** Sorted, without repeats. The tag `publish` marks what the publish step takes. */
    readonly tags: readonly string[];
    readonly description: string;
    /** Columns that identify a row. */
    readonly grain: readonly string[];
    /** Date column: nothing of this day or later may flow in. */
    readonly asOf?: string;
    /** Column of the grain that names the event of a row. Default: the first. */
    readonly event?: string;
    readonly tripwires?: Tripwires;
    /** The model in which rows of this one stand until their outcomes are known. */
    readonly movesFrom?: string;
    /** Why what a lint rule finds in this model is no leak. */
    readonly acceptedLint?: Readonly<Partial<Record<LintRule, string>>>;
    readonly columns: readonly ModelColumn[];
    readonly tests: readonly DataTest[];
    /** For `external`: where and as what. */
    readonly external?: { readonly path: string; readonly format: "parquet" | "csv" };
    /** For published models. */
    readonly publish?: ModelPublishConfig;
}

export interface ModelPublishConfig {
    /** Schema on the target; default: the target's. A private one keeps a table from the API. */
    readonly schema?: string;
    /** Name on the target. Default: the model's. */
    readonly name?: string;
    readonly primaryKey: readonly string[];
    readonly indexes: readonly { readonly columns: readonly string[]; readonly unique: boolean }[];
    /** Roles that may read it, beside those that could read the generation before. */
    readonly grantSelect: readonly string[];
    /** Default: true with policies; else as the table in service has it. */
    readonly rowSecurity: boolean;
    /** Which rows a role may read, beside the policies of the generation before. */
    readonly policies: readonly DeclaredPolicy[];
    /** `diff`: where only rows differ, they are changed in place instead of swapping the table. Default swap. */
    readonly mode: "swap" | "diff";
    /** Row count against the generation in service, where the target's band does not fit this table. */
    readonly rowCountBand?: { readonly min: number; readonly max: number };
}

/** A policy for SELECT. */
export interface DeclaredPolicy {
    readonly name: string;
    /** Default: public. */
    readonly roles: readonly string[];
    /** Postgres' SQL, over the columns of a row; functions with their schemas. */
    readonly using: string;
    readonly restrictive: boolean;
}

export interface ModelColumn {
    readonly name: string;
    /** Declared DuckDB type, lower case; absent: not asserted. */
    readonly type?: string;
    readonly description: string;
    readonly tier?: string;
    /** A number that joins the models of one build: it may differ from build to build, and is not compared. */
    readonly surrogate?: boolean;
    readonly unit?: string;
    readonly range?: readonly [number | null, number | null];
    /** What NULL means in this column. */
    readonly nullPolicy?: string;
    readonly tests: readonly DataTest[];
}

export type Severity = "error" | "warn";

/** One declared test, of a column or of a model. */
export interface DataTest {
    readonly type:
        | "not_null"
        | "unique"
        | "accepted_values"
        | "relationships"
        | "unique_combination"
        | "range";
    readonly severity: Severity;
    /** Only rows for which this SQL condition holds are tested. */
    readonly where?: string;
    readonly values?: readonly (string | number | boolean)[];
    /** relationships: the model and its column. */
    readonly to?: string;
    readonly field?: string;
    /** unique_combination. */
    readonly columns?: readonly string[];
    /** range, both inclusive. */
    readonly min?: number;
    readonly max?: number;
}

/** A model file as read; `config` already merged except for `{{config}}` in the file itself. */
export interface ModelFile {
    readonly name: string;
    readonly language: "sql" | "typescript";
    /** Relative to the root, with forward slashes: models/features/career.sql. */
    readonly file: string;
    /** Its yml, where it has one. */
    readonly configFile?: string;
    /** Template text, or the TypeScript source. */
    readonly text: string;
    readonly config: ModelConfig;
    /** For TypeScript models: what the module declares. */
    readonly refs?: readonly string[];
}

export interface Seed {
    readonly name: string;
    readonly file: string;
    readonly config: ModelConfig;
}

export interface AssertionFile {
    readonly name: string;
    readonly file: string;
    readonly text: string;
}

export interface MacroFile {
    /** `{{> name}}` for .hbs; a DuckDB macro (`create macro`) for .sql. */
    readonly name: string;
    readonly kind: "partial" | "duckdb";
    readonly file: string;
    readonly text: string;
}
