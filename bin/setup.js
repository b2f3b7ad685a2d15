// First part of `npm start` and `npm test`: installs what package-lock.json names, once, so that both
// work on a fresh clone. Plain JavaScript, and nothing but Node: it runs before anything is installed.
// Not a `prestart`, and no install scripts of packages: npm can be told to run neither.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installed = join(root, "node_modules", ".package-lock.json");
const lock = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    console.error("Installing the packages named in package-lock.json (once) ...");
    const npm = process.env.npm_execpath;
    const args = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
    const result = npm
        ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
        : spawnSync("npm", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], shell: true });
    if (result.status !== 0) {
        console.error("npm ci failed. Check the network and `npm config get registry`, then try again.");
        process.exit(result.status ?? 1);
    }
}
