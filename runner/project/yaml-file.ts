import {
    type Document,
    isAlias,
    isMap,
    isNode,
    isScalar,
    isSeq,
    LineCounter,
    type Node,
    type Pair,
    parseAllDocuments,
} from "yaml";
import type { Position, Problem } from "../errors.ts";

export type KeyPath = readonly (string | number)[];

/** One document of a YAML file, with the place of each of its keys. */
export interface YamlDocument {
    readonly file: string;
    /** Plain data; `undefined` for an empty document. */
    readonly value: unknown;
    /** Where the key at a path stands; of a missing key, where the nearest key above it stands. */
    locate(path: KeyPath): Position;
}

/** A finding at a key, in the user's own names. */
export function problemAt(document: YamlDocument, path: KeyPath, message: string): Problem {
    return { ...document.locate(path), ...(path.length > 0 && { key: describePath(path) }), message };
}

/** `columns.total_races.tests[0]` */
function describePath(path: KeyPath): string {
    return path.reduce<string>((text, part) => {
        if (typeof part === "number") return `${text}[${part}]`;
        return text === "" ? part : `${text}.${part}`;
    }, "");
}

/** The documents of a file's text; syntax errors go to `problems`, and their document is left out. */
export function parseYaml(file: string, text: string, problems: Problem[]): readonly YamlDocument[] {
    const lines = new LineCounter();
    const parsed = parseAllDocuments(text, {
        lineCounter: lines,
        merge: true,
        prettyErrors: false,
        logLevel: "silent",
    });
    const documents: YamlDocument[] = [];
    for (const document of parsed as Document.Parsed[]) {
        for (const error of document.errors) {
            const { line, col } = lines.linePos(error.pos[0]);
            problems.push({ file, line, column: col, message: `not valid YAML: ${error.message}` });
        }
        if (document.errors.length > 0) continue;
        const data = readData(document);
        if ("problem" in data) {
            problems.push({ file, message: data.problem });
            continue;
        }
        documents.push({
            file,
            value: data.value,
            locate: (path) => {
                const offset = findOffset(document, path);
                if (offset === undefined) return { file };
                const { line, col } = lines.linePos(offset);
                return { file, line, column: col };
            },
        });
    }
    return documents;
}

/** Aliases are followed here, and only here found missing. */
function readData(document: Document.Parsed): { readonly value: unknown } | { readonly problem: string } {
    if (document.contents === null) return { value: undefined };
    try {
        return { value: document.toJS({ maxAliasCount: 1000 }) };
    } catch (error) {
        return { problem: `not valid YAML: ${(error as Error).message}` };
    }
}

function findOffset(document: Document.Parsed, path: KeyPath): number | undefined {
    let node: Node | null | undefined = document.contents;
    let offset = startOf(node);
    for (const part of path) {
        if (isAlias(node)) node = node.resolve(document);
        if (isMap(node)) {
            const pair: Pair | undefined = node.items.find(
                (item) => isScalar(item.key) && String(item.key.value) === String(part),
            );
            if (!pair) break;
            offset = startOf(pair.key as Node) ?? offset;
            node = isNode(pair.value) ? pair.value : undefined;
        } else if (isSeq(node) && typeof part === "number") {
            const item: unknown = node.items[part];
            node = isNode(item) ? item : undefined;
            offset = startOf(node) ?? offset;
        } else break;
    }
    return offset;
}

function startOf(node: Node | null | undefined): number | undefined {
    return node?.range?.[0];
}
