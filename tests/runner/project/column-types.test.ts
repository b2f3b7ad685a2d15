import { expect, test } from "vitest";
import { isNumberType } from "../../../runner/project/column-types.ts";

test.each([
    "integer",
    "smallint",
    "BIGINT",
    "UTINYINT",
    "uinteger",
    "hugeint",
    "decimal(8,3)",
    "DOUBLE",
    "float",
])("%s holds numbers", (type) => expect(isNumberType(type)).toBe(true));

test.each(["interval", "varchar", "boolean", "date", "timestamp", "uuid"])("%s holds none", (type) =>
    expect(isNumberType(type)).toBe(false),
);
