import { readFileSync } from "node:fs";
import { ConfigError } from "../../runner/errors.ts";

/** Whom the server runs as, where that is somebody else than this process. */
export interface Account {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
}

/**
 * Postgres refuses to run as root, and initdb wants an entry in the passwd file. `nobody` comes first
 * because the sandbox's superuser may read whatever its account may read: an existing `postgres`
 * account can own a real cluster.
 *
 * @returns undefined where this process itself may run the server.
 */
export function serverAccount(): Account | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const accounts = readAccounts();
    const account =
        accounts.find(({ name }) => name === "nobody") ??
        accounts.find(({ name }) => name === "postgres") ??
        accounts.find(({ uid }) => uid > 0);
    if (account === undefined) {
        throw new ConfigError(
            "Postgres does not run as root, and /etc/passwd names no other account to run it as. " +
                "Add one (useradd --system nobody), run as a plain user, or set DATABASE_URL to a database of your own.",
        );
    }
    return account;
}

/** The account that owns a data directory made earlier, perhaps by a plain user before root came along. */
export function accountOfOwner(uid: number, gid: number): Account | undefined {
    if (process.getuid?.() !== 0 || uid === 0) return undefined;
    return readAccounts().find((account) => account.uid === uid) ?? { name: `uid ${uid}`, uid, gid };
}

function readAccounts(): readonly Account[] {
    let passwd: string;
    try {
        passwd = readFileSync("/etc/passwd", "utf8");
    } catch {
        return [];
    }
    return passwd
        .split("\n")
        .map((line) => line.split(":"))
        .map(([name = "", , uid = "", gid = ""]) => ({ name, uid: Number(uid), gid: Number(gid) }))
        .filter(({ name, uid, gid }) => name !== "" && uid > 0 && uid < 2 ** 31 && gid >= 0);
}
