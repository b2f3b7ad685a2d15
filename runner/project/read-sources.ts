import type { Problem } from "../errors.ts";
import { nearestNames } from "../names.ts";
import { checkShape, suggest } from "./check-shape.ts";
import type { Source, SourceColumn } from "./project.ts";
import { type RawSource, type RawSourceColumn, rawSourcesSchema } from "./source-schema.ts";
import { type KeyPath, problemAt, type YamlDocument } from "./yaml-file.ts";

interface Declared {
    readonly source: Source;
    readonly raw: RawSource;
    readonly document: YamlDocument;
}

/** The sources of every yml with a `sources:` key. */
export function readSources(documents: readonly YamlDocument[], problems: Problem[]): readonly Source[] {
    const declared = new Map<string, Declared>();
    for (const document of documents) {
        const file = checkShape(rawSourcesSchema, document.value, document, [], problems);
        for (const [name, raw] of Object.entries(file?.sources ?? {})) {
            const place = ["sources", name];
            if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
                problems.push(
                    problemAt(
                        document,
                        place,
                        "a source's name is of a-z, 0-9 and _; set identifier for the table's own",
                    ),
                );
            }
            const earlier = declared.get(name);
            if (earlier) {
                problems.push(
                    problemAt(
                        document,
                        place,
                        `the source ${name} is declared in ${earlier.document.file} already`,
                    ),
                );
                continue;
            }
            declared.set(name, { source: buildSource(name, raw, document, problems), raw, document });
        }
    }
    for (const one of declared.values()) checkSource(one, declared, problems);
    return [...declared.values()].map(({ source }) => source);
}

function buildSource(name: string, raw: RawSource, document: YamlDocument, problems: Problem[]): Source {
    const columns = Object.entries(raw.columns)
        .flatMap(([column, rawColumn]) =>
            expandColumn(column, rawColumn, ["sources", name, "columns", column], document, problems),
        )
        .map((column) => (raw.known === undefined ? column : { ...column, isKnownDeclared: true }));
    return {
        name,
        identifier: raw.identifier ?? name,
        description: raw.description ?? "",
        columns,
        primaryKey: raw.primary_key ?? [],
        known: raw.known ?? "before",
        identity: raw.identity ?? [],
        ...(raw.alike && { alike: raw.alike }),
        ...(raw.entities && { entities: raw.entities }),
        ...(raw.clock && { clock: raw.clock }),
        file: document.file,
    };
}

/** One declared column, or with `each` one for every value that its name's `{m}` takes. */
function expandColumn(
    name: string,
    raw: RawSourceColumn,
    place: KeyPath,
    document: YamlDocument,
    problems: Problem[],
): readonly SourceColumn[] {
    const base: Omit<SourceColumn, "name"> = {
        type: raw.type,
        optional: raw.optional ?? false,
        nullable: raw.nullable ?? true,
        known: raw.known ?? "before",
        isKnownDeclared: raw.known !== undefined || raw.surrogate === true || raw.version === true,
        surrogate: raw.surrogate ?? false,
        version: raw.version ?? false,
        ...(raw.tier !== undefined && { tier: raw.tier }),
        knownBeforeValues: raw.known_before_values ?? [],
        description: raw.description ?? "",
    };
    let expanded: readonly SourceColumn[] = [{ name, ...base }];
    for (const [placeholder, values] of Object.entries(raw.each ?? {})) {
        const list = typeof values === "string" ? readRange(values) : values.map(String);
        const pattern = `{${placeholder}}`;
        if (!list) {
            problems.push(
                problemAt(
                    document,
                    [...place, "each", placeholder],
                    `must be a list or a range such as "200..3000..200", found ${JSON.stringify(values)}`,
                ),
            );
        } else if (!name.includes(pattern)) {
            problems.push(
                problemAt(
                    document,
                    [...place, "each", placeholder],
                    `the column's name has no ${pattern} for it`,
                ),
            );
        } else {
            expanded = expanded.flatMap((column) =>
                list.map((value) => ({
                    ...column,
                    name: column.name.replaceAll(pattern, value),
                    description: column.description.replaceAll(pattern, value),
                })),
            );
        }
    }
    return expanded;
}

/** `first..last` or `first..last..step`, the last included. */
function readRange(text: string): readonly string[] | undefined {
    const match = /^(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?$/.exec(text.trim());
    if (!match) return undefined;
    const [first, last, step] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 1)];
    if (step < 1 || last < first) return undefined;
    return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) =>
        String(first + index * step),
    );
}

function checkSource(
    { source, document }: Declared,
    declared: ReadonlyMap<string, Declared>,
    problems: Problem[],
): void {
    const place = ["sources", source.name];
    const report = (path: KeyPath, message: string) =>
        problems.push(problemAt(document, [...place, ...path], message));
    const names = source.columns.map(({ name }) => name);
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    if (names.length === 0) report(["columns"], "a source needs at least one column");
    if (repeated) report(["columns"], `the column ${repeated} is declared twice`);
    for (const [index, column] of source.primaryKey.entries()) {
        if (!names.includes(column)) {
            report(
                ["primary_key", index],
                `${column} is not a declared column; ${suggest(column, names, "columns are")}`,
            );
        }
    }
    for (const key of ["identity", "alike", "entities"] as const) {
        for (const [index, column] of (source[key] ?? []).entries()) {
            if (names.includes(column)) continue;
            report(
                [key, index],
                `${column} is not a declared column; ${suggest(column, names, "columns are")}`,
            );
        }
    }
    for (const column of source.columns) {
        if (column.surrogate && !/^u?(big|huge|small|tiny)?int(eger)?$/.test(column.type)) {
            report(["columns", column.name], `a surrogate is a whole number, found ${column.type}`);
        }
        if (column.version && !/^(date|timestamp)/.test(column.type)) {
            report(["columns", column.name], `a version is a date or a timestamp, found ${column.type}`);
        }
        if (column.knownBeforeValues.length > 0 && column.known === "before" && source.known === "before") {
            report(["columns", column.name], "known_before_values belongs to a column that is known: after");
        }
    }
    const outcome =
        source.known === "after" ? source.name : source.columns.find(({ known }) => known === "after")?.name;
    if (!source.clock) {
        if (outcome) {
            report(
                [],
                `${outcome} is known: after, but nothing says when: add clock: with the date column that dates it, or clock: { source, column, on }`,
            );
        }
        return;
    }
    const { clock } = source;
    const dated = clock.source === undefined ? source : declared.get(clock.source)?.source;
    if (!dated) {
        report(
            ["clock", "source"],
            `there is no source ${clock.source}; ${suggest(clock.source ?? "", [...declared.keys()], "sources are")}`,
        );
        return;
    }
    const datedNames = dated.columns.map(({ name }) => name);
    const column = dated.columns.find(({ name }) => name === clock.column);
    const clockKey = clock.source === undefined ? ["clock"] : ["clock", "column"];
    if (!column) {
        report(
            clockKey,
            `${dated.name} has no column ${clock.column}; ${suggest(clock.column, datedNames, "columns are")}`,
        );
    } else if (!/^(date|timestamp)/.test(column.type)) {
        report(
            clockKey,
            `a clock is a date or a timestamp, and ${dated.name}.${clock.column} is ${column.type}`,
        );
    }
    for (const shared of clock.on ?? []) {
        for (const side of [source, dated]) {
            const known = side.columns.map(({ name }) => name);
            if (known.includes(shared)) continue;
            const nearest = nearestNames(shared, known);
            report(
                ["clock", "on"],
                `${side.name} has no column ${shared}${nearest.length > 0 ? `; did you mean ${nearest.join(" or ")}?` : ""}`,
            );
        }
    }
}
