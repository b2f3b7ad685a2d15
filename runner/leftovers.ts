import { rmSync } from "node:fs";

const leftovers = new Set<string>();

/** Files and folders that must not outlive this process, whoever is still busy with them. Returns what forgets them. */
export function registerLeftovers(...paths: readonly string[]): () => void {
    for (const path of paths) leftovers.add(path);
    return () => {
        for (const path of paths) leftovers.delete(path);
    };
}

/**
 * At the end of a process that does not wait for its own work: what is open goes too, the kernel keeps it until then.
 */
export function removeLeftovers(): void {
    for (const path of leftovers) {
        try {
            rmSync(path, { recursive: true, force: true });
        } catch {
            // The next run removes it.
        }
    }
}
