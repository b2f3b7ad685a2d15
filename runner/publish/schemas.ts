/** Private schemas of the publisher: nobody else has USAGE of them. */
export const schemas = {
    /** Where a new generation is made. */
    build: "rebuild_build",
    /** What the latest swap took out of service, under its own names. */
    archive: "rebuild_archive",
    /** Records of generations and of the objects in them. */
    meta: "rebuild_meta",
} as const;

/** What the swap of `generation` took out of service, once a later swap has put its own into the archive. */
export function olderArchive(generation: number): string {
    return `${schemas.archive}_${generation}`;
}
