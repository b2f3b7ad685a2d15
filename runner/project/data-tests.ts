import type { RawColumnTest, RawModelTest } from "./model-schema.ts";
import type { DataTest } from "./project.ts";

type Condition = { readonly severity?: "error" | "warn" | undefined; readonly where?: string | undefined };

/** The tests of one item of a column's `tests:` list; most items are one test. */
export function columnTests(raw: RawColumnTest): readonly DataTest[] {
    const tests: DataTest[] = [];
    const { not_null, unique, accepted_values, relationships, range } = raw;
    if (not_null !== undefined) tests.push({ type: "not_null", ...condition(raw, not_null) });
    if (unique !== undefined) tests.push({ type: "unique", ...condition(raw, unique) });
    if (accepted_values !== undefined) {
        const long = Array.isArray(accepted_values) ? { values: accepted_values } : accepted_values;
        tests.push({ type: "accepted_values", ...condition(raw, long), values: long.values });
    }
    if (relationships !== undefined) {
        const { to, field } = relationships;
        tests.push({ type: "relationships", ...condition(raw, relationships), to, field });
    }
    if (range !== undefined) {
        const { min, max } = range;
        tests.push({
            type: "range",
            ...condition(raw, range),
            ...(min !== undefined && { min }),
            ...(max !== undefined && { max }),
        });
    }
    return tests;
}

/** A test of a model's own `tests:` list. */
export function modelTest(raw: RawModelTest): DataTest {
    const combination = raw.unique_combination;
    const long = Array.isArray(combination) ? { columns: combination } : combination;
    return { type: "unique_combination", ...condition(raw, long), columns: long.columns };
}

/** Severity and `where` stand inside the test or beside it; inside wins. */
function condition(outer: Condition, inner: Condition | true): Pick<DataTest, "severity" | "where"> {
    const own = inner === true ? {} : inner;
    const where = own.where ?? outer.where;
    return { severity: own.severity ?? outer.severity ?? "error", ...(where !== undefined && { where }) };
}
