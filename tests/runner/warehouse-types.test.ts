import { expect, test } from "vitest";
import type { ColumnChunk } from "../../runner/model.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

async function chunksOf(stream: AsyncIterable<ColumnChunk>): Promise<ColumnChunk[]> {
    const chunks: ColumnChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
}

const everyType = `
    select * from (values
        (true, (-128)::tinyint, (-32768)::smallint, (-2147483648)::integer, (-9223372036854775808)::bigint,
         255::utinyint, 65535::usmallint, 4294967295::uinteger, 18446744073709551615::ubigint,
         (-170141183460469231731687303715884105728)::hugeint,
         1.5::float, 0.1::double, 12.3::decimal(3,1), (-1234567.89)::decimal(9,2),
         1234567890123.4567::decimal(17,4), (-12345678901234567890.123456)::decimal(38,6),
         'Ünïcode 🐎 longer than twelve', date '1969-12-31', timestamp '2024-02-29 12:34:56.789012',
         timestamptz '2024-02-29 12:34:56.789012+02', time '23:59:59.999999',
         interval '1 year 2 months -3 days -04:05:06.789', 'b4711423-f0c3-4e7b-9846-0c82fa29cc0e'::uuid,
         'heavy'::enum('good', 'heavy'), '\\x00\\xFFzero and a long tail'::blob)
    ) values_of_every_type(
        is_open, tiny, small, normal, big, utiny, usmall, unormal, ubig, huge, single, precise,
        decimal_16, decimal_32, decimal_64, decimal_128, note, day, at_utc, at_zone, clock, gap, id, going, raw)`;

test("every type comes back as it was after it was read and appended again", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        await warehouse.execute(`create table original as ${everyType}
            union all select ${Array.from({ length: 25 }, () => "null").join(", ")}`);
        await warehouse.execute("create table copied as from original limit 0");
        const appender = await warehouse.append("main", "copied");
        for await (const chunk of warehouse.read("from original")) await appender.write(chunk);
        await appender.close();
        expect(await warehouse.rows("from original except all from copied")).toEqual([]);
        expect(await warehouse.rows("select count(*)::integer as n from copied")).toEqual([{ n: 2 }]);
    });
});

test("values are read in the form that the model contract promises", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const [chunk] = await chunksOf(warehouse.read(everyType));
        const read = Object.fromEntries(
            Object.entries(chunk!.columns).map(([name, column]) => [name, column.values]),
        );
        expect(read).toEqual({
            is_open: new Uint8Array([1]),
            tiny: new Int8Array([-128]),
            small: new Int16Array([-32768]),
            normal: new Int32Array([-2147483648]),
            big: new BigInt64Array([-(2n ** 63n)]),
            utiny: new Uint8Array([255]),
            usmall: new Uint16Array([65535]),
            unormal: new Uint32Array([4294967295]),
            ubig: new BigUint64Array([2n ** 64n - 1n]),
            huge: ["-170141183460469231731687303715884105728"],
            single: new Float32Array([1.5]),
            precise: new Float64Array([0.1]),
            decimal_16: ["12.3"],
            decimal_32: ["-1234567.89"],
            decimal_64: ["1234567890123.4567"],
            decimal_128: ["-12345678901234567890.123456"],
            note: ["Ünïcode 🐎 longer than twelve"],
            day: new Int32Array([-1]),
            at_utc: new BigInt64Array([1709210096789012n]),
            at_zone: new BigInt64Array([1709202896789012n]),
            clock: new BigInt64Array([86399999999n]),
            gap: ["1 year 2 months -3 days -04:05:06.789"],
            id: ["b4711423-f0c3-4e7b-9846-0c82fa29cc0e"],
            going: ["heavy"],
            raw: [new Uint8Array([0, 255, ...Buffer.from("zero and a long tail")])],
        });
    });
});
