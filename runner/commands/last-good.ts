import { existsSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import type { Project } from "../project/project.ts";
import type { Warehouse } from "../warehouse/types.ts";
import { withWarehouse } from "../warehouse/warehouse.ts";

/** Opens the last good warehouse for reading; a run that replaces it meanwhile does not disturb the reader. */
export async function withLastGood<T>(
    project: Project,
    callback: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
    const { warehouse: settings } = project.target;
    if (!existsSync(settings.path)) {
        throw new ConfigError(`There is no warehouse at ${settings.path} yet. \`rebuild run\` builds it.`);
    }
    return withWarehouse(settings.path, { ...settings, readOnly: true }, callback);
}
