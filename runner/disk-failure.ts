import { ConfigError, RebuildError } from "./errors.ts";

const full =
    /\b(ENOSPC|EDQUOT|EFBIG)\b|No space left on device|Disk quota exceeded|File too large|failed to offload data block/;
// Node says ENOENT of a folder that it cannot make, parents included, on a file system that is read-only.
const closed =
    /\bENOENT\b.*\bmkdir\b|\b(EACCES|EPERM|EROFS)\b.*\b(access|mkdir|open|rename|unlink|rmdir|link|copyfile)\b|IO Error: .*(Permission denied|Read-only file system)/;

export function isDiskFull(message: string): boolean {
    return full.test(message);
}

/** A disk that is full or a folder that may not be written, as an error that the user can do something about. */
export function diskFailure(error: unknown): ConfigError | undefined {
    if (!(error instanceof Error) || error instanceof RebuildError) return undefined;
    const advice = full.test(error.message)
        ? "The disk is full: free space there"
        : closed.test(error.message)
          ? "This user may not write there: change the folder's owner or mode"
          : undefined;
    if (advice === undefined) return undefined;
    const place = "A run writes its warehouse, compiled SQL and records into target/ beside rebuild.yml.";
    return new ConfigError(`${error.message}\n${advice}. ${place}`, { cause: error });
}
