import { quoteName } from "../names.ts";
import type { LiveObject } from "./live-object.ts";
import type { Published } from "./published.ts";
import { schemas } from "./schemas.ts";

/** An object to build, with what it replaces. */
export interface BuildTarget<Object extends Published = Published> {
    readonly object: Object;
    /** Absent: a first publish. */
    readonly live?: LiveObject | undefined;
    /** Its own columns, with their types; a view's are known once it was created. */
    readonly columns: ReadonlyMap<string, string>;
}

/** The object's name in the build schema, for SQL. */
export function buildName(object: Pick<Published, "name">): string {
    return `${schemas.build}.${quoteName(object.name)}`;
}

/** The object's name in service, for SQL. */
export function liveName({ schema, name }: Pick<Published, "schema" | "name">): string {
    return `${quoteName(schema)}.${quoteName(name)}`;
}

/** Every column that it reads is there. */
export function isWhole(
    { needs }: { readonly needs: readonly string[] },
    columns: BuildTarget["columns"],
): boolean {
    return needs.every((name) => columns.has(name));
}
