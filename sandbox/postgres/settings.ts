import { statfs } from "node:fs/promises";

const megabyte = 2 ** 20;

/**
 * Settings of a server whose data can be made again at any time: nothing waits for the disk,
 * yet commits outlive a killed server (not a crash of the machine). wal_level
 * stays `replica`, as servers have it by default, so that loading costs what it costs elsewhere.
 * Given on the command line, so that a data directory made earlier gets them too.
 */
export async function serverSettings(port: number): Promise<readonly (readonly [string, string])[]> {
    return [
        ["port", String(port)],
        ["listen_addresses", "127.0.0.1"],
        ["unix_socket_directories", ""],
        ["fsync", "off"],
        ["full_page_writes", "off"],
        ["shared_buffers", "128MB"],
        ["max_wal_size", "4GB"],
        ["checkpoint_timeout", "30min"],
        ["max_connections", "60"],
        ["jit", "off"],
        ["timezone", "UTC"],
        ["log_timezone", "UTC"],
        ["dynamic_shared_memory_type", await sharedMemory()],
    ];
}

/** Containers often have 64 MB there, which a parallel query or index build exceeds. */
async function sharedMemory(): Promise<string> {
    if (process.platform !== "linux") return "posix";
    const room = await statfs("/dev/shm").catch(() => undefined);
    return room && room.bavail * room.bsize >= 512 * megabyte ? "posix" : "mmap";
}
