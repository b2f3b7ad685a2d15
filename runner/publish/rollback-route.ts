/** One generation's part in what is in service, oldest first in a history. */
export type Change =
    | {
          readonly id: number;
          readonly mode: "swap";
          readonly objects: readonly {
              /** `schema.name`. */
              readonly name: string;
              readonly incoming: number;
              /** null: it was the first of its name. */
              readonly outgoing: number | null;
          }[];
      }
    | {
          readonly id: number;
          readonly mode: "diff";
          /** Tables whose rows it changed. */
          readonly oids: readonly number[];
          /** A rollback's: the generation whose rows it put back. */
          readonly restores: number | null;
      };

/** One atomic way back, to a state that was in service as a whole before. */
export type RollbackStep =
    | { readonly to: number; readonly mode: "swap"; readonly oids: ReadonlySet<number> }
    | {
          readonly to: number;
          readonly mode: "diff";
          /** By table, the generations whose changes are undone, the latest first. */
          readonly undone: ReadonlyMap<number, readonly number[]>;
      };

/** Which object has which name, and which rows each object holds: the generation that changed them last. */
interface State {
    readonly inService: ReadonlyMap<string, number>;
    readonly rows: ReadonlyMap<number, number>;
}

interface RowChange {
    readonly id: number;
    readonly before: number;
}

/** Rows that no change in place has touched. */
const untouched = 0;

/**
 * Generations as states to go back to. A swap exchanges objects, a change in place the rows of one, so that a table
 * that was changed and then swapped out holds the changed rows. Going back by both is a route of several steps, each
 * to a generation that was in service: readers never meet a state that was not.
 */
export class RollbackHistory {
    private readonly states = new Map<number, State>();
    /** By table. */
    private readonly rowChanges = new Map<number, RowChange[]>();
    private readonly latest: number;
    private readonly archived: ReadonlySet<number>;

    /** `base`: the generation in service before the first of `changes`; `live` is by `schema.name`. */
    constructor(
        base: number,
        changes: readonly Change[],
        {
            live,
            archived,
        }: { readonly live: ReadonlyMap<string, number>; readonly archived: ReadonlySet<number> },
    ) {
        this.archived = archived;
        this.latest = changes.at(-1)?.id ?? base;
        let state = beforeAll(changes, live);
        this.states.set(base, state);
        for (const change of changes) {
            state = this.apply(state, change);
            this.states.set(change.id, state);
        }
    }

    /** The shortest; absent: something on the way is not kept any more. Empty: it is in service. */
    find(target: number): readonly RollbackStep[] | undefined {
        const wanted = this.states.get(target);
        if (!wanted || wanted.inService.size === 0) return undefined;
        const now = { state: this.states.get(this.latest)!, route: [] as readonly RollbackStep[] };
        const reached = new Map([[this.latest, now]]);
        for (const { state, route } of reached.values()) {
            const last = this.step(state, target);
            if (last) return [...route, ...last];
            for (const to of this.states.keys()) {
                const next = reached.has(to) || !this.covers(state, to) ? undefined : this.step(state, to);
                if (next?.length) {
                    reached.set(to, { state: this.arrive(state, to), route: [...route, ...next] });
                }
            }
        }
        return undefined;
    }

    /** All that can be gone back to, the latest first. */
    findAll(): readonly number[] {
        return [...this.states.keys()].filter((id) => (this.find(id)?.length ?? 0) > 0).reverse();
    }

    private apply({ inService, rows }: State, change: Change): State {
        if (change.mode === "swap") {
            const incoming = change.objects.map((object): [string, number] => [object.name, object.incoming]);
            return { inService: new Map([...inService, ...incoming]), rows };
        }
        const changed = new Map(rows);
        for (const oid of change.oids) {
            const log = this.rowChanges.get(oid) ?? [];
            log.push({ id: change.id, before: rows.get(oid) ?? untouched });
            this.rowChanges.set(oid, log);
            const restored = change.restores === null ? undefined : this.states.get(change.restores);
            changed.set(oid, restored ? (restored.rows.get(oid) ?? untouched) : change.id);
        }
        return { inService, rows: changed };
    }

    /** On the way, nothing may stay that the generation does not know of: together they were never in service. */
    private covers({ inService }: State, to: number): boolean {
        const known = this.states.get(to)!.inService;
        return [...inService.keys()].every((name) => known.has(name));
    }

    private arrive(state: State, to: number): State {
        const { inService, rows } = this.states.get(to)!;
        const held = [...inService.values()].map((oid): [number, number] => [
            oid,
            rows.get(oid) ?? untouched,
        ]);
        return {
            inService: new Map([...state.inService, ...inService]),
            rows: new Map([...state.rows, ...held]),
        };
    }

    /** From a state straight to another: empty when they are the same, absent when both ways would be needed. */
    private step(current: State, to: number): readonly RollbackStep[] | undefined {
        const wanted = this.states.get(to)!;
        const oids = new Set<number>();
        const undone = new Map<number, readonly number[]>();
        for (const [name, oid] of wanted.inService) {
            if (current.inService.get(name) !== oid) oids.add(oid);
            const before = wanted.rows.get(oid) ?? untouched;
            if ((current.rows.get(oid) ?? untouched) === before) continue;
            const since = this.changesSince(oid, before);
            if (!since) return undefined;
            undone.set(oid, since);
        }
        if (oids.size > 0 && undone.size > 0) return undefined;
        if (undone.size > 0) return [{ to, mode: "diff", undone }];
        if (oids.size === 0) return [];
        return [...oids].every((oid) => this.archived.has(oid)) ? [{ to, mode: "swap", oids }] : undefined;
    }

    /** Changes to be undone for a table to hold the rows that it held then, the latest first. */
    private changesSince(oid: number, rows: number): readonly number[] | undefined {
        const log = this.rowChanges.get(oid) ?? [];
        const first = log.findLastIndex(({ before }) => before === rows);
        return first < 0
            ? undefined
            : log
                  .slice(first)
                  .map(({ id }) => id)
                  .reverse();
    }
}

/** From what is in service now, backwards. */
function beforeAll(changes: readonly Change[], live: ReadonlyMap<string, number>): State {
    const inService = new Map(live);
    for (const change of [...changes].reverse()) {
        if (change.mode !== "swap") continue;
        for (const { name, outgoing } of change.objects) {
            if (outgoing === null) inService.delete(name);
            else inService.set(name, outgoing);
        }
    }
    return { inService, rows: new Map() };
}
