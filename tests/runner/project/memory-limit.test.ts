import { expect, it } from "vitest";
import { memoryLimit } from "../../../runner/project/memory-limit.ts";

const gibibyte = 2 ** 30;

it("A share of the memory leaves to Node what it needs, however small the container", () => {
    expect(memoryLimit("70%", 8 * gibibyte)).toBe("5734MiB");
    expect(memoryLimit(undefined, 2 * gibibyte)).toBe("1433MiB");
    expect(memoryLimit(undefined, gibibyte)).toBe("424MiB");
    expect(memoryLimit("30%", gibibyte)).toBe("307MiB");
    expect(memoryLimit(undefined, gibibyte / 2)).toBe("128MiB");
});

it("A size is taken as it is", () => {
    expect(memoryLimit("750MB", gibibyte)).toBe("750MB");
});
