import type { Problem } from "../errors.ts";
import { columnTests, modelTest } from "./data-tests.ts";
import type { FolderDefaults, InlineConfig, RawColumn, RawNode } from "./model-schema.ts";
import type { ModelColumn, ModelConfig, ModelPublishConfig } from "./project.ts";
import { problemAt, type YamlDocument } from "./yaml-file.ts";

/** A model's or seed's yml, checked, with the document it stands in. */
export interface ConfigDocument {
    readonly raw: RawNode;
    readonly document: YamlDocument;
}

/** Yml over folder over default. Tags add up. */
export function buildConfig(
    yml: ConfigDocument | undefined,
    folder: FolderDefaults,
    problems: Problem[],
): ModelConfig {
    const raw: RawNode = yml?.raw ?? {};
    const columns = yml ? buildColumns(yml, problems) : [];
    const publish = buildPublish(raw, folder);
    return {
        materialized: raw.materialized ?? folder.materialized ?? "table",
        enabled: raw.enabled ?? folder.enabled ?? true,
        tags: mergeTags(folder.tags, raw.tags),
        description: raw.description ?? "",
        grain: raw.grain ?? [],
        ...(raw.as_of !== undefined && { asOf: raw.as_of }),
        ...(raw.moves_from !== undefined && { movesFrom: raw.moves_from }),
        ...(raw.event !== undefined && { event: raw.event }),
        ...(raw.tripwires && { tripwires: raw.tripwires }),
        ...(raw.lint && { acceptedLint: raw.lint.accept }),
        columns,
        tests: (raw.tests ?? []).map(modelTest),
        ...(raw.external && {
            external: { path: raw.external.path, format: raw.external.format ?? "parquet" },
        }),
        ...(publish && { publish }),
    };
}

/** What `{{config ...}}` in a file sets, over everything else. */
export function overlayConfig(config: ModelConfig, inline: InlineConfig): ModelConfig {
    return {
        ...config,
        materialized: inline.materialized ?? config.materialized,
        enabled: inline.enabled ?? config.enabled,
        tags: mergeTags(config.tags, inline.tags),
        description: inline.description ?? config.description,
        grain: inline.grain ?? config.grain,
        ...(inline.as_of !== undefined && { asOf: inline.as_of }),
    };
}

function mergeTags(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
    return [...new Set(lists.flatMap((list) => list ?? []))].sort();
}

function buildColumns({ raw, document }: ConfigDocument, problems: Problem[]): readonly ModelColumn[] {
    return Object.entries(raw.columns ?? {}).map(([name, column]) => {
        const place = ["columns", name];
        const [min, max] = column.range ?? [null, null];
        if (min !== null && max !== null && min > max) {
            problems.push(
                problemAt(
                    document,
                    [...place, "range"],
                    `its lower end ${min} is above its upper end ${max}`,
                ),
            );
        }
        const tests = (column.tests ?? []).flatMap((item, index) => {
            const found = columnTests(item);
            const at = [...place, "tests", index];
            if (found.length === 0) {
                problems.push(
                    problemAt(
                        document,
                        at,
                        "names no test; tests of a column are not_null, unique, accepted_values, relationships, range",
                    ),
                );
            }
            for (const test of found) {
                if (test.type !== "range") continue;
                if (test.min === undefined && test.max === undefined) {
                    problems.push(problemAt(document, at, "a range needs min, max or both"));
                }
            }
            return found;
        });
        return {
            name,
            description: column.description ?? "",
            ...optionalFacts(column),
            tests,
        };
    });
}

function optionalFacts(column: RawColumn): Partial<ModelColumn> {
    return {
        ...(column.type !== undefined && { type: column.type }),
        ...(column.tier !== undefined && { tier: column.tier }),
        ...(column.surrogate !== undefined && { surrogate: column.surrogate }),
        ...(column.unit !== undefined && { unit: column.unit }),
        ...(column.range !== undefined && { range: column.range }),
        ...(column.null_policy !== undefined && { nullPolicy: column.null_policy }),
    };
}

function buildPublish(raw: RawNode, folder: FolderDefaults): ModelPublishConfig | undefined {
    if (!raw.publish && !folder.publish) return undefined;
    const schema = raw.publish?.schema ?? folder.publish?.schema;
    return {
        ...(schema !== undefined && { schema }),
        ...(raw.publish?.name !== undefined && { name: raw.publish.name }),
        primaryKey: raw.publish?.primary_key ?? [],
        indexes: (raw.publish?.indexes ?? []).map((index) =>
            Array.isArray(index)
                ? { columns: index, unique: false }
                : { columns: index.columns, unique: index.unique ?? false },
        ),
        grantSelect: mergeTags(folder.publish?.grant_select, raw.publish?.grant_select),
        // A policy without row security would let everybody read everything.
        rowSecurity: raw.publish?.row_security ?? (raw.publish?.policies ?? []).length > 0,
        policies: (raw.publish?.policies ?? []).map(({ name, roles, using, restrictive }) => ({
            name,
            roles: roles ?? ["public"],
            using,
            restrictive: restrictive ?? false,
        })),
        mode: raw.publish?.mode ?? "swap",
        ...(raw.publish?.row_count_band && { rowCountBand: raw.publish.row_count_band }),
    };
}
