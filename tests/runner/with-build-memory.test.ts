import { expect, test } from "vitest";
import { withBuildMemory } from "../../runner/warehouse/with-build-memory.ts";
import { withMemoryWarehouse } from "./warehouse-fixture.ts";

test("models are built in as much memory as the sources need, never in more than the profile allows", async () => {
    await withMemoryWarehouse(async (warehouse) => {
        const limit = async () =>
            (await warehouse.rows("select current_setting('memory_limit') as memory"))[0]!.memory;
        await warehouse.execute("set global memory_limit = '8GB'");
        await warehouse.execute("create schema sources");
        await warehouse.execute("create table sources.few as from range(10)");
        expect(await withBuildMemory(warehouse, "8GB", limit)).toBe("858.3 MiB");
        expect(await limit()).toBe("7.4 GiB");
        await warehouse.execute("create table sources.many as from range(1_000_000)");
        expect(await withBuildMemory(warehouse, "8GB", limit)).toBe("1.5 GiB");
        await warehouse.execute("create table sources.more as from range(5_000_000)");
        expect(await withBuildMemory(warehouse, "8GB", limit)).toBe("7.4 GiB");
        expect(await withBuildMemory(warehouse, "1GB", limit)).toBe("7.4 GiB");
    });
});
