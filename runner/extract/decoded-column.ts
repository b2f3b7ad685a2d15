import { ColumnBuffer } from "./parquet-column.ts";
import { readings, type Transport } from "./transport.ts";

/** One column of the rows that are decoded: flat, since it is looked at for every value. */
export interface DecodedColumn {
    readonly index: number;
    readonly reading: number;
    readonly buffer: ColumnBuffer;
    readonly calendar: ColumnBuffer | undefined;
    /** 4, 8 or 16 bytes of the stored integer; 0: not a stored integer. */
    readonly width: number;
    /** Every int64 may be stored as it is. */
    readonly isInt64: boolean;
    readonly isFloat: boolean;
    readonly min: number;
    readonly max: number;
    readonly exactMin: bigint;
    readonly exactMax: bigint;
    readonly scale: number;
    readonly factor: number;
    readonly nullable: boolean;
}

export function decodedColumn(
    transport: Transport & { readonly nullable: boolean },
    index: number,
    rowCapacity: number,
): DecodedColumn {
    const { column, calendar, reading, min = 0n, max = 0n, scale = 0, nullable } = transport;
    const isNumber = reading === "int16" || reading === "int32" || reading === "int64";
    return {
        index,
        reading: readings[reading],
        buffer: new ColumnBuffer(column, rowCapacity),
        calendar: calendar && new ColumnBuffer(calendar, rowCapacity),
        width: { int32: 4, int64: 8, fixed: 16, float: 0, double: 0, bytes: 0 }[column.physical],
        isInt64: column.physical === "int64" && scale === 0 && min === -(1n << 63n),
        isFloat: column.physical === "float",
        min: Number(min),
        max: Number(max),
        exactMin: min,
        exactMax: max,
        scale,
        // Only what was read unscaled is multiplied.
        factor: isNumber ? 10 ** scale : 1,
        nullable,
    };
}
