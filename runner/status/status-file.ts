import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { scrubbedJson } from "../secrets.ts";
import { writeWhole } from "./artifacts.ts";
import type { StatusRow } from "./status-row.ts";

/** What target/status.json says of the run that holds, or last held, the lock on target/. */
export interface LocalStatus extends StatusRow {
    readonly command: string;
    readonly target: string;
    readonly pid: number;
}

const pathOf = (targetDirectory: string) => join(targetDirectory, "status.json");

export async function writeLocalStatus(targetDirectory: string, status: LocalStatus): Promise<void> {
    await writeWhole(pathOf(targetDirectory), `${scrubbedJson(status, 2)}\n`);
}

/** Absent: no run has begun here, or its file cannot be read. */
export async function readLocalStatus(targetDirectory: string): Promise<LocalStatus | undefined> {
    try {
        return JSON.parse(await readFile(pathOf(targetDirectory), "utf8")) as LocalStatus;
    } catch {
        return undefined;
    }
}
