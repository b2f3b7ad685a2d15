import type { Extracted, ExtractOptions, FilesSource } from "./extract-sources.ts";
export async function extractFromFiles(
    _: ExtractOptions & { readonly connection: FilesSource },
): Promise<Extracted> {
    throw new Error("soon");
}
