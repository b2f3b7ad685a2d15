import { defineConfig } from "vitest/config";

export default defineConfig({
    test: {
        include: ["tests/**/*.test.ts"],
        exclude: ["tests/slow/**", "**/node_modules/**"],
        testTimeout: 60_000,
        hookTimeout: 120_000,
        // Two at a time: every file may start a DuckDB or a Postgres of its own.
        maxWorkers: 2,
    },
});
