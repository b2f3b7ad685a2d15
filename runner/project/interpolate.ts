import type { KeyPath } from "./yaml-file.ts";

/** A `${NAME}` whose variable is not set. */
export interface UnsetVariable {
    readonly path: KeyPath;
    readonly name: string;
}

/**
 * `${NAME}` and `${NAME:-default}` in every text of a parsed value, so that what a variable holds can
 * never change the file's structure. A variable that is set but empty takes the default too.
 */
export function interpolate(
    value: unknown,
    env: Readonly<Record<string, string | undefined>>,
    unset: UnsetVariable[],
    path: KeyPath = [],
): unknown {
    if (typeof value === "string") {
        return value.replace(
            /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
            (whole, name: string, fallback?: string) => {
                const found = env[name];
                if (found) return found;
                if (fallback !== undefined) return fallback;
                unset.push({ path, name });
                return whole;
            },
        );
    }
    if (Array.isArray(value))
        return value.map((item, index) => interpolate(item, env, unset, [...path, index]));
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(
            Object.entries(value).map(([key, item]) => [key, interpolate(item, env, unset, [...path, key])]),
        );
    }
    return value;
}
