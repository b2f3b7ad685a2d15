#!/usr/bin/env node
// The runner is TypeScript, and so may models be: tsx strips the types as the files are loaded.
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";

// While it loads there is nothing to stop. As process 1 of a container it would not even end without this.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

// It keeps what it stripped for the next start, and cannot load without a place for it, as in a container whose
// root is read-only. It looks at this as it is imported.
try {
    accessSync(tmpdir(), constants.W_OK);
} catch {
    process.env.TSX_DISABLE_CACHE ??= "1";
}
const { register } = await import("tsx/esm/api");
register();
const { main } = await import("../runner/cli.ts");
await main(process.argv);
