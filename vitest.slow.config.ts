import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** Chaos, scale and long fuzzing: too slow for every save, run by CI. */
export default defineConfig({
    test: {
        ...base.test,
        include: ["tests/slow/**/*.slow.ts"],
        exclude: ["**/node_modules/**"],
        testTimeout: 600_000,
        hookTimeout: 300_000,
    },
});
