import { defineConfig } from "vitest/config";

export default defineConfig({
    test: {
        include: ["tests/**/*.test.ts"],
        exclude: ["tests/slow/**", "**/node_modules/**"],
        // One embedded Postgres for all files: see createDatabase there.
        globalSetup: ["tests/postgres-server.ts"],
        testTimeout: 60_000,
        hookTimeout: 120_000,
        // Two at a time: every file may start a DuckDB or a Postgres of its own.
        maxWorkers: 2,
    },
});
