import type { CompiledProject } from "../../runner/compile/compiled.ts";
import type { Source, SourceColumn } from "../../runner/project/project.ts";
import type { Perturbation } from "../../runner/testing/replay/perturbation.ts";
import { type Replay, replay } from "../../runner/testing/replay/replay.ts";
import type { Warehouse } from "../../runner/warehouse/types.ts";
import { buildCompiled, compiledShop, type ShopModel, shopProject } from "./build-fixture.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

function column(name: string, type: string, more: Partial<SourceColumn> = {}): SourceColumn {
    return {
        name,
        type,
        optional: false,
        nullable: true,
        known: "before",
        isKnownDeclared: true,
        surrogate: false,
        version: false,
        knownBeforeValues: [],
        description: "",
        ...more,
    };
}

function source(name: string, columns: readonly SourceColumn[], more: Partial<Source> = {}): Source {
    return {
        name,
        identifier: name,
        description: "",
        columns,
        primaryKey: [],
        identity: [],
        known: "before",
        file: "models/sources.yml",
        ...more,
    };
}

const after = { known: "after" } as const;
const clock = { source: "races", column: "race_date", on: ["race_id"] };

/** Races on days, entries with places, and times that are outcomes as a whole. */
export const tinySources: readonly Source[] = [
    source(
        "races",
        [
            column("race_id", "bigint"),
            column("race_date", "date"),
            column("prize", "integer"),
            column("updated_at", "timestamp", { version: true }),
        ],
        { primaryKey: ["race_id"], identity: ["race_id"], clock: { column: "race_date" } },
    ),
    source(
        "entries",
        [
            column("id", "bigint", { surrogate: true }),
            column("race_id", "bigint"),
            column("horse", "varchar"),
            column("weight", "integer"),
            column("place", "integer", after),
            column("status", "varchar", { ...after, knownBeforeValues: ["SCRATCHED"] }),
        ],
        { primaryKey: ["id"], identity: ["race_id", "horse"], clock },
    ),
    source("times", [column("race_id", "bigint"), column("horse", "varchar"), column("seconds", "integer")], {
        ...after,
        clock,
    }),
    source("horses", [column("horse", "varchar"), column("born", "integer")]),
];

/** Ten days from 2024-03-01 with two races of four each, and a day without results; rows lie in finishing order. */
const tinyRows = [
    `insert into sources.races
        select day * 2 + number, date '2024-03-01' + day::integer, 100 + (day * 7 + number) % 5, timestamp '2024-06-01' + day * interval 1 hour
        from range(11) days(day), range(2) numbers(number)`,
    `insert into sources.entries
        select row_number() over (order by race_id, place), race_id, horse, weight,
            case when race_id < 20 and status is distinct from 'SCRATCHED' then place end,
            case when status = 'SCRATCHED' then status when race_id < 20 then 'FINISHED' end
        from (
            select race_id, 'h' || (race_id * 3 + gate * 5) % 9 as horse, 50 + gate as weight,
                row_number() over (partition by race_id order by hash(race_id, gate)) as place,
                case when race_id % 6 = 1 and gate = 3 then 'SCRATCHED' end as status
            from sources.races, range(4) gates(gate)
        )`,
    `insert into sources.times
        select race_id, horse, 60 + place from sources.entries where place is not null and race_id % 3 > 0`,
    `insert into sources.horses select 'h' || i, 2018 + i % 3 from range(9) horses(i)`,
];

/** One row per declared runner: its race's day, what became of it, and its order by day. */
export const starters = {
    materialized: "view",
    sources: ["races", "entries", "times"],
    sql: `
        select entries.*, races.race_date, races.prize, times.seconds
        from sources.entries
        inner join sources.races using (race_id)
        left join sources.times using (race_id, horse)
        where status is distinct from 'SCRATCHED'`,
} as const satisfies ShopModel;

/** A model with `as_of` over the starters, one row each. */
export function asOfModel(columns: string, more: ShopModel = {}): ShopModel {
    return {
        refs: ["starters"],
        grain: ["race_id", "horse"],
        asOf: "race_date",
        sql: `select race_id, horse, race_date, ${columns} from main.starters`,
        ...more,
    };
}

export interface TinyReplay {
    readonly day?: string;
    readonly perturbation?: Perturbation;
    readonly seed?: number;
    readonly traceSeconds?: number;
    /** Statements after the rows were made. */
    readonly change?: readonly string[];
}

/** Builds the models from the tiny world, then replays a day of it. */
export async function replayTiny(
    models: Readonly<Record<string, ShopModel>>,
    { change = [], day = "2024-03-06", perturbation = "cut", seed = 1, traceSeconds = 0 }: TinyReplay = {},
): Promise<Replay> {
    return withTinyBuild(models, change, (warehouse, compiled) =>
        replay({
            project: { ...shopProject("/nowhere"), sources: tinySources },
            compiled,
            warehouse,
            day,
            perturbation,
            seed,
            traceSeconds,
            signal: new AbortController().signal,
        }),
    );
}

export async function withTinyBuild<T>(
    models: Readonly<Record<string, ShopModel>>,
    change: readonly string[],
    callback: (warehouse: Warehouse, compiled: CompiledProject) => Promise<T>,
): Promise<T> {
    return withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute("create schema sources");
        for (const { name, columns } of tinySources) {
            const list = columns.map((one) => `${one.name} ${one.type}`).join(", ");
            await warehouse.execute(`create table sources.${name} (${list})`);
        }
        for (const statement of [...tinyRows, ...change]) await warehouse.execute(statement);
        const compiled = compiledShop({ starters, ...models });
        const { results } = await buildCompiled(warehouse, compiled);
        const failed = results.filter(({ status }) => status !== "success");
        if (failed.length > 0) throw new Error(failed.map(({ message }) => message).join("\n"));
        return callback(warehouse, compiled);
    });
}
