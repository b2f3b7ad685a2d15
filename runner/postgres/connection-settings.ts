import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { userInfo } from "node:os";
import type { ConnectionOptions } from "node:tls";
import { ConfigError } from "../errors.ts";

/** A connection string taken apart. */
export interface ConnectionSettings {
    /** A name, an address, or the folder of a unix socket. */
    readonly host: string;
    readonly port: number;
    readonly user: string;
    /** Absent: PGPASSWORD or ~/.pgpass, where there are any. */
    readonly password?: string;
    readonly database: string;
    /** False: no TLS. */
    readonly tls: false | ConnectionOptions;
    /** Command-line options for the server: `?options=-c ...`. */
    readonly options?: string;
    /** Of one attempt. */
    readonly connectTimeoutMs: number;
}

const defaultConnectTimeoutMs = 15_000;
/** The port of Supabase's pooler in transaction mode. */
const transactionPoolerPort = 6543;

/**
 * Takes `postgres://user:password@host:port/database?sslmode=...` apart. A unix socket is
 * `postgres://user@/database?host=/run/postgresql`.
 *
 * TLS by `sslmode`, stricter than libpq's where libpq would not look at the certificate:
 *
 * | sslmode | what happens |
 * |---|---|
 * | disable | no TLS |
 * | no-verify | TLS, whoever answers |
 * | verify-ca | TLS, a certificate of a known authority |
 * | require, verify-full | TLS, a certificate of a known authority for this host |
 * | absent, prefer, allow | as `require`; no TLS to this machine and to private networks |
 *
 * `sslrootcert=FILE`, or PGSSLROOTCERT in the environment, names the authority, `sslcert=FILE` and `sslkey=FILE` the
 * client's certificate.
 */
export function parseConnection(url: string): ConnectionSettings {
    const parsed = parseUrl(url);
    const params = parsed.searchParams;
    const host = params.get("host") ?? (decodePart(parsed.hostname.replace(/^\[|\]$/g, "")) || "localhost");
    const port = Number(params.get("port") ?? (parsed.port || 5432));
    if (port === transactionPoolerPort) {
        throw new ConfigError(
            `${describe(parsed, host, port)}: port ${transactionPoolerPort} is a pooler in transaction mode. It keeps no session ` +
                "settings, advisory locks or snapshots between statements, and a run needs all three.\n" +
                "Use the direct connection or the pooler in session mode: the same URL with port 5432.",
        );
    }
    const user = decodePart(parsed.username) || process.env.PGUSER || userInfo().username;
    const timeoutSeconds = Number(params.get("connect_timeout") ?? 0);
    const options = params.get("options");
    return {
        host,
        port,
        user,
        ...(parsed.password && { password: decodePart(parsed.password) }),
        database: decodePart(parsed.pathname.slice(1)) || user,
        tls: tlsOptions(params, host),
        ...(options !== null && { options }),
        connectTimeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : defaultConnectTimeoutMs,
    };
}

/** `postgres://user@host:5432/database`: where a connection goes, without its password. */
export function describeConnection(url: string): string {
    try {
        const parsed = parseUrl(url);
        const host = parsed.searchParams.get("host") ?? (decodePart(parsed.hostname) || "localhost");
        return describe(parsed, host, Number(parsed.searchParams.get("port") ?? (parsed.port || 5432)));
    } catch {
        return "postgres:// (a URL that cannot be read)";
    }
}

function describe(parsed: URL, host: string, port: number): string {
    const user = decodePart(parsed.username);
    return `postgres://${user && `${user}@`}${host}:${port}/${decodePart(parsed.pathname.slice(1))}`;
}

function parseUrl(url: string): URL {
    const form = "postgres://user:password@host:5432/database";
    const advice = `Write it as ${form}, with %-encoding for special characters in the password (@ is %40, / is %2F, # is %23, % is %25).`;
    let parsed: URL;
    try {
        // Without a host, URL refuses a user: `postgres://user@/database` is allowed in libpq.
        parsed = new URL(
            url.trim().replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?]|:\d+[/?])/i, "$1localhost"),
        );
        for (const part of [parsed.username, parsed.password, parsed.hostname, parsed.pathname])
            decodePart(part);
    } catch {
        throw new ConfigError(`The connection URL cannot be read. ${advice}`);
    }
    if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") {
        throw new ConfigError(
            `The connection URL begins with ${parsed.protocol}, not with postgres://. ${advice}`,
        );
    }
    return parsed;
}

function decodePart(text: string): string {
    return decodeURIComponent(text);
}

const tlsModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

function tlsOptions(params: URLSearchParams, host: string): false | ConnectionOptions {
    const mode = params.get("sslmode") ?? "prefer";
    if (!tlsModes.includes(mode)) {
        throw new ConfigError(`The connection URL has sslmode=${mode}; allowed are ${tlsModes.join(", ")}.`);
    }
    if (mode === "disable" || host.startsWith("/")) return false;
    if ((mode === "prefer" || mode === "allow") && isPrivateHost(host)) return false;
    return {
        ...(isIP(host) === 0 && { servername: host }),
        rejectUnauthorized: mode !== "no-verify",
        ...(mode === "verify-ca" && { checkServerIdentity: () => undefined }),
        ...readFileParam(params, "sslrootcert", "ca"),
        ...readFileParam(params, "sslcert", "cert"),
        ...readFileParam(params, "sslkey", "key"),
    };
}

function readFileParam(
    params: URLSearchParams,
    name: string,
    option: "ca" | "cert" | "key",
): ConnectionOptions {
    const file = params.get(name) || (name === "sslrootcert" ? process.env.PGSSLROOTCERT : undefined);
    if (!file || file === "system") return {};
    try {
        return { [option]: readFileSync(file, "utf8") };
    } catch (cause) {
        const reason = (cause as NodeJS.ErrnoException).code;
        throw new ConfigError(`${name}=${file} in the connection URL cannot be read (${reason}).`, { cause });
    }
}

/** This machine, a private address, or a name that only a private network resolves. */
function isPrivateHost(host: string): boolean {
    if (isIP(host) === 4) {
        return /^(127|10)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(host);
    }
    if (isIP(host) === 6) return /^(::1$|f[cd]|fe80:)/i.test(host);
    return !host.includes(".") || /\.(internal|local|localhost)$/i.test(host);
}
