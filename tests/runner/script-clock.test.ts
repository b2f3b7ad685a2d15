import { expect, test } from "vitest";
import { atMorningOf } from "../../runner/testing/replay/script-clock.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const today = () => new Date().toISOString();

test("work of a morning sees that morning, and what goes on beside it sees the time", async () => {
    const before = Date;
    const beside = (async () => {
        await pause();
        return Date.now();
    })();
    const seen = await atMorningOf("2024-03-06", async () => {
        await pause();
        const inner = await atMorningOf("2020-01-01", async () => today());
        return [
            Date.now(),
            today(),
            new Date(0).getTime(),
            new Date() instanceof Date,
            inner,
            Date().slice(0, 15),
        ];
    });
    expect(seen).toEqual([
        Date.UTC(2024, 2, 6, 6),
        "2024-03-06T06:00:00.000Z",
        0,
        true,
        "2020-01-01T06:00:00.000Z",
        "Wed Mar 06 2024",
    ]);
    expect(await beside).toBeGreaterThan(Date.UTC(2025));
    await expect(atMorningOf("2024-03-06", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(Date).toBe(before);
    expect(Date.now()).toBeGreaterThan(Date.UTC(2025));
});
