/** A value of Thrift's compact protocol, as far as Parquet's metadata needs it. */
export type ThriftValue =
    | { readonly kind: "i32" | "i64"; readonly value: number }
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "struct"; readonly fields: ThriftFields }
    | {
          readonly kind: "list";
          readonly of: "i32" | "text" | "struct";
          readonly items: readonly ThriftValue[];
      };

/** By field number, ascending; absent fields are left out. */
export type ThriftFields = readonly (readonly [number, ThriftValue | undefined])[];

export const i32 = (value: number): ThriftValue => ({ kind: "i32", value });
export const i64 = (value: number): ThriftValue => ({ kind: "i64", value });
export const text = (value: string): ThriftValue => ({ kind: "text", value });
export const truth = (value: boolean): ThriftValue => ({ kind: "boolean", value });
export const struct = (fields: ThriftFields): ThriftValue => ({ kind: "struct", fields });
export const list = (of: "i32" | "text" | "struct", items: readonly ThriftValue[]): ThriftValue => ({
    kind: "list",
    of,
    items,
});

const codes = { i32: 5, i64: 6, text: 8, list: 9, struct: 12 } as const;

export function encodeStruct(fields: ThriftFields): Buffer {
    const bytes: number[] = [];
    writeStruct(bytes, fields);
    return Buffer.from(bytes);
}

function writeStruct(bytes: number[], fields: ThriftFields): void {
    let previous = 0;
    for (const [id, value] of fields) {
        if (!value) continue;
        const code = value.kind === "boolean" ? (value.value ? 1 : 2) : codes[value.kind];
        bytes.push(((id - previous) << 4) | code);
        previous = id;
        if (value.kind !== "boolean") writeValue(bytes, value);
    }
    bytes.push(0);
}

function writeValue(bytes: number[], value: ThriftValue): void {
    switch (value.kind) {
        case "i32":
        case "i64":
            // Zigzag of what is never negative here.
            writeVarint(bytes, value.value * 2);
            return;
        case "text": {
            const encoded = Buffer.from(value.value, "utf8");
            writeVarint(bytes, encoded.length);
            for (const byte of encoded) bytes.push(byte);
            return;
        }
        case "list": {
            const { length } = value.items;
            if (length < 15) bytes.push((length << 4) | codes[value.of]);
            else {
                bytes.push(0xf0 | codes[value.of]);
                writeVarint(bytes, length);
            }
            for (const item of value.items) writeValue(bytes, item);
            return;
        }
        case "struct":
            writeStruct(bytes, value.fields);
            return;
        case "boolean":
            bytes.push(value.value ? 1 : 2);
    }
}

/** Seven bits a byte, lowest first; also beyond 32 bits. */
export function writeVarint(bytes: number[], value: number): void {
    let rest = value;
    while (rest >= 128) {
        bytes.push((rest % 128) | 128);
        rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
}
