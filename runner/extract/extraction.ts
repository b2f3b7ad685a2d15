import type { Project, SourceConnection } from "../project/project.ts";
import type { NodeResult, Report } from "../status/events.ts";
import type { Warehouse } from "../warehouse/types.ts";

export type PostgresSource = Extract<SourceConnection, { readonly type: "postgres" }>;
export type FilesSource = Extract<SourceConnection, { readonly type: "files" }>;

export interface ExtractOptions {
    readonly project: Project;
    readonly warehouse: Warehouse;
    readonly report: Report;
    readonly signal: AbortSignal;
}

export interface Extracted {
    /** One a source, in the project's order. */
    readonly results: readonly NodeResult[];
    /** The moment whose state was read, by the source's clock. */
    readonly snapshotAt: Date;
    /** Optional columns that the source does not have: NULL in the warehouse. */
    readonly missingOptional: readonly { readonly source: string; readonly column: string }[];
}
