import type { Position } from "../errors.ts";
import type { ModelConfig, Severity } from "../project/project.ts";

/** A project whose templates are SQL and whose refs are edges. Frozen; holds no connection and no file handle. */
export interface CompiledProject {
    /** Every enabled node by its unique name: models, seeds, assertions. Sources stand apart. */
    readonly nodes: ReadonlyMap<string, CompiledNode>;
    /** Names of models and seeds in dependency order: parents first, in rounds by name. */
    readonly order: readonly string[];
    /** `create or replace macro ...` statements, to be run on every new warehouse. */
    readonly macros: readonly CompiledMacro[];
    readonly warnings: readonly string[];
}

export type CompiledMacro = Pick<CompiledModel, "name" | "file" | "sql" | "lineMap">;

export type CompiledNode = CompiledModel | CompiledSeed | CompiledAssertion;

interface NodeBase {
    readonly name: string;
    readonly file: string;
    /** Names of models and seeds. */
    readonly refs: readonly string[];
    readonly sources: readonly string[];
}

export interface CompiledModel extends NodeBase {
    readonly kind: "model";
    readonly language: "sql" | "typescript";
    readonly config: ModelConfig;
    /** The SELECT to materialize; the empty string for TypeScript models. Ephemeral refs are already in it. */
    readonly sql: string;
    /** From lines of `sql` (index 0 is line 1) to the template, where it can be told. */
    readonly lineMap: readonly (Position | undefined)[];
}

export interface CompiledSeed extends NodeBase {
    readonly kind: "seed";
    readonly config: ModelConfig;
}

/** A SELECT that returns the offending rows: none is a pass. */
export interface CompiledAssertion extends NodeBase {
    readonly kind: "assertion";
    readonly severity: Severity;
    readonly description: string;
    readonly tags: readonly string[];
    readonly sql: string;
    readonly lineMap: readonly (Position | undefined)[];
}
