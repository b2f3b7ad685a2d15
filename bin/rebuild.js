#!/usr/bin/env node
// The runner is TypeScript, and so may models be: tsx strips the types as the files are loaded.
import { register } from "tsx/esm/api";

register();
const { main } = await import("../runner/cli.ts");
await main(process.argv);
