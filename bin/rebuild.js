#!/usr/bin/env node
// The runner is TypeScript, and so may models be: tsx strips the types as the files are loaded.
import { register } from "tsx/esm/api";

// While it loads there is nothing to stop. As process 1 of a container it would not even end without this.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
register();
const { main } = await import("../runner/cli.ts");
await main(process.argv);
