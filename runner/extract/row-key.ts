import { printNumeric } from "./numeric.ts";
import { epochDays } from "./put-value.ts";
import type { Reading } from "./transport.ts";

/** `id = 17`: the primary key of a row of the COPY, as far as it is of numbers and text. */
export function describeKey(
    key: readonly { readonly name: string; readonly index: number }[],
    kinds: readonly Reading[],
    { view, start, end }: { readonly view: DataView; readonly start: number; readonly end: number },
): string {
    const fields: string[] = [];
    let position = start + 2;
    for (const kind of kinds) {
        if (position + 4 > end) return "";
        const length = view.getInt32(position);
        position += 4;
        fields.push(length < 0 ? "NULL" : printField(kind, view, position, length));
        position += Math.max(0, length);
    }
    return key.map(({ name, index }) => `${name} = ${fields[index] ?? "?"}`).join(", ");
}

function printField(kind: Reading, view: DataView, position: number, length: number): string {
    switch (kind) {
        case "int16":
            return String(view.getInt16(position));
        case "int32":
            return String(view.getInt32(position));
        case "int64":
            return String(view.getBigInt64(position));
        case "numeric":
            return printNumeric(view, position);
        case "bytes":
        case "digits":
            return JSON.stringify(
                Buffer.from(view.buffer, view.byteOffset + position, length).toString("utf8"),
            );
        case "date":
            return new Date((view.getInt32(position) + epochDays) * 86_400_000).toISOString().slice(0, 10);
        default:
            return "...";
    }
}
