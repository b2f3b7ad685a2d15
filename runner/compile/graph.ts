import toposort from "toposort";
import type { CompiledProject } from "./compiled.ts";

/** Who reads whom. Keys are names of nodes, and `source:name` for sources. */
export interface Graph {
    readonly parents: ReadonlyMap<string, readonly string[]>;
    readonly children: ReadonlyMap<string, readonly string[]>;
}

/** Models, seeds and sources in both directions; assertions have parents but are nobody's children. */
export function graphOf({ nodes }: CompiledProject): Graph {
    const parents = new Map<string, readonly string[]>();
    const children = new Map<string, string[]>();
    for (const node of nodes.values()) {
        const above = [...node.refs, ...node.sources.map(sourceKey)];
        parents.set(node.name, above);
        if (!children.has(node.name)) children.set(node.name, []);
        if (node.kind === "assertion") continue;
        for (const parent of above) children.set(parent, [...(children.get(parent) ?? []), node.name]);
    }
    return { parents, children };
}

export function sourceKey(name: string): string {
    return `source:${name}`;
}

/** Every name that can be reached in at most `depth` steps, the beginnings left out unless a step leads to them. */
export function reach(
    from: Iterable<string>,
    edges: ReadonlyMap<string, readonly string[]>,
    depth = Number.POSITIVE_INFINITY,
): ReadonlySet<string> {
    const reached = new Set<string>();
    let frontier: readonly string[] = [...from];
    for (let step = 0; step < depth && frontier.length > 0; step++) {
        const next: string[] = [];
        for (const name of frontier) {
            for (const neighbour of edges.get(name) ?? []) {
                if (reached.has(neighbour)) continue;
                reached.add(neighbour);
                next.push(neighbour);
            }
        }
        frontier = next;
    }
    return reached;
}

/**
 * Parents before children, in rounds: first all that needs nothing, by name, then all that needs only those.
 * The order is the same whatever the order of files was. There must be no cycle: see findCycle.
 */
export function orderNodes(parents: ReadonlyMap<string, readonly string[]>): readonly string[] {
    const edges = [...parents].flatMap(([name, above]) =>
        above.map((parent): [string, string] => [parent, name]),
    );
    const rounds = new Map<string, number>();
    for (const name of toposort.array([...parents.keys()], edges)) {
        const above = parents.get(name) ?? [];
        rounds.set(name, Math.max(0, ...above.map((parent) => rounds.get(parent)! + 1)));
    }
    return [...rounds.keys()].sort(
        (one, other) => rounds.get(one)! - rounds.get(other)! || (one < other ? -1 : 1),
    );
}

/** A cycle as a path that ends where it begins, the first by name; `undefined` when there is none. */
export function findCycle(parents: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
    const done = new Set<string>();
    const path: string[] = [];
    const visit = (name: string): readonly string[] | undefined => {
        if (done.has(name)) return undefined;
        const at = path.indexOf(name);
        if (at >= 0) return [...path.slice(at), name];
        path.push(name);
        for (const parent of [...(parents.get(name) ?? [])].sort()) {
            const cycle = visit(parent);
            if (cycle) return cycle;
        }
        path.pop();
        done.add(name);
        return undefined;
    };
    for (const name of [...parents.keys()].sort()) {
        const cycle = visit(name);
        if (cycle) return cycle;
    }
    return undefined;
}
