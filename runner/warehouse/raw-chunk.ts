import {
    type DuckDBDataChunk,
    type DuckDBDecimalType,
    type DuckDBEnumType,
    type DuckDBListType,
    type DuckDBType,
    DuckDBTypeId,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { valueCopier } from "./long-values.ts";
import type { RawChunk, RawColumn, RawLayout } from "./types.ts";

/** A column of a result: what stays the same from chunk to chunk. */
export interface ResultColumn {
    readonly name: string;
    readonly type: DuckDBType;
    readonly typeText: string;
    /** Absent: the type has no layout of its own here (structs, maps ...). */
    readonly layout?: RawLayout;
}

export function resultColumn(name: string, type: DuckDBType): ResultColumn {
    const layout = layoutOf(type);
    return { name, type, typeText: String(type), ...(layout ? { layout } : {}) };
}

const layoutWidths: Readonly<Record<RawLayout, number>> = {
    int8: 1,
    uint8: 1,
    int16: 2,
    uint16: 2,
    int32: 4,
    uint32: 4,
    float32: 4,
    int64: 8,
    uint64: 8,
    float64: 8,
    int128: 16,
    uint128: 16,
    interval: 16,
    bytes: 16,
    list: 16,
};

export function toRawChunk(chunk: DuckDBDataChunk, columns: readonly ResultColumn[]): RawChunk {
    const rowCount = chunk.rowCount;
    return {
        rowCount,
        columns: columns.map((column, index) => toRawColumn(chunk, column, index, rowCount)),
    };
}

export function toRawColumn(
    chunk: DuckDBDataChunk,
    column: ResultColumn,
    index: number,
    rowCount: number,
): RawColumn {
    return readVector(duckdb.data_chunk_get_vector(chunk.chunk, index), column, rowCount, chunk);
}

/** `owner` is held by every closure: it keeps the memory of long values alive. */
function readVector(
    vector: duckdb.Vector,
    column: ResultColumn,
    rowCount: number,
    owner: DuckDBDataChunk,
): RawColumn {
    const { name, type, typeText, layout } = column;
    if (!layout) {
        throw new Error(
            `column ${name} is of type ${typeText}, which cannot be streamed raw; cast it to varchar`,
        );
    }
    const data = duckdb.vector_get_data(vector, rowCount * layoutWidths[layout]);
    const validity = duckdb.vector_get_validity(vector, Math.ceil(rowCount / 64) * 8) as Uint8Array | null;
    return {
        name,
        type: typeText,
        layout,
        data,
        ...(validity ? { validity } : {}),
        ...(layout === "bytes"
            ? {
                  bytes: bytesReader(data, owner),
                  copyBytes: valueCopier(data, validity ?? undefined, rowCount, owner),
              }
            : {}),
        ...(type.typeId === DuckDBTypeId.ENUM ? { enumValues: (type as DuckDBEnumType).values } : {}),
        ...(type.typeId === DuckDBTypeId.DECIMAL ? { scale: (type as DuckDBDecimalType).scale } : {}),
        ...(type.typeId === DuckDBTypeId.LIST
            ? {
                  child: readVector(
                      duckdb.list_vector_get_child(vector),
                      resultColumn(name, (type as DuckDBListType).valueType),
                      duckdb.list_vector_get_size(vector),
                      owner,
                  ),
              }
            : {}),
    };
}

function bytesReader(data: Uint8Array, owner: DuckDBDataChunk): (row: number) => Uint8Array {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return (row) => {
        const length = view.getUint32(row * 16, true);
        if (length <= 12) return data.subarray(row * 16 + 4, row * 16 + 4 + length);
        // Naming the owner here is what keeps its memory.
        if (!owner.chunk) throw new Error("the chunk is gone");
        return duckdb.get_data_from_pointer(
            data.buffer as ArrayBuffer,
            data.byteOffset + row * 16 + 8,
            length,
        );
    };
}

const layouts: Readonly<Partial<Record<DuckDBTypeId, RawLayout>>> = {
    [DuckDBTypeId.BOOLEAN]: "uint8",
    [DuckDBTypeId.TINYINT]: "int8",
    [DuckDBTypeId.SMALLINT]: "int16",
    [DuckDBTypeId.INTEGER]: "int32",
    [DuckDBTypeId.BIGINT]: "int64",
    [DuckDBTypeId.HUGEINT]: "int128",
    [DuckDBTypeId.UTINYINT]: "uint8",
    [DuckDBTypeId.USMALLINT]: "uint16",
    [DuckDBTypeId.UINTEGER]: "uint32",
    [DuckDBTypeId.UBIGINT]: "uint64",
    [DuckDBTypeId.UHUGEINT]: "uint128",
    [DuckDBTypeId.FLOAT]: "float32",
    [DuckDBTypeId.DOUBLE]: "float64",
    [DuckDBTypeId.DATE]: "int32",
    [DuckDBTypeId.TIME]: "int64",
    [DuckDBTypeId.TIMESTAMP]: "int64",
    [DuckDBTypeId.TIMESTAMP_TZ]: "int64",
    [DuckDBTypeId.TIMESTAMP_S]: "int64",
    [DuckDBTypeId.TIMESTAMP_MS]: "int64",
    [DuckDBTypeId.TIMESTAMP_NS]: "int64",
    [DuckDBTypeId.INTERVAL]: "interval",
    [DuckDBTypeId.VARCHAR]: "bytes",
    [DuckDBTypeId.BLOB]: "bytes",
    [DuckDBTypeId.BIT]: "bytes",
    [DuckDBTypeId.UUID]: "int128",
    [DuckDBTypeId.LIST]: "list",
};

export function layoutOf(type: DuckDBType): RawLayout | undefined {
    if (type.typeId === DuckDBTypeId.DECIMAL) {
        const { width } = type as DuckDBDecimalType;
        return width <= 4 ? "int16" : width <= 9 ? "int32" : width <= 18 ? "int64" : "int128";
    }
    if (type.typeId === DuckDBTypeId.ENUM) {
        return layouts[(type as DuckDBEnumType).internalTypeId];
    }
    if (type.typeId === DuckDBTypeId.LIST && !layoutOf((type as DuckDBListType).valueType)) return undefined;
    return layouts[type.typeId];
}
