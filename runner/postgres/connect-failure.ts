import { lookup } from "node:dns/promises";
import { ConfigError } from "../errors.ts";
import { scrub } from "../secrets.ts";
import type { ConnectionSettings } from "./connection-settings.ts";

/** An error of the driver, of the socket or of TLS; happy eyeballs' AggregateError holds one per address. */
function failureCode(error: unknown): string {
    const { code, errors } = error as {
        readonly code?: string;
        readonly errors?: readonly { code?: string }[];
    };
    return code ?? errors?.[0]?.code ?? "";
}

/** How long an attempt that failed like this is worth repeating, in milliseconds; 0: not at all. */
export function retryBudgetMs(error: unknown): number {
    switch (failureCode(error)) {
        // The server is starting up, recovering or shutting down for a restart.
        case "57P03":
            return 30_000;
        case "ECONNREFUSED":
        case "ECONNRESET":
        case "EAI_AGAIN":
        case "ENOENT":
        case "53300":
            return 5_000;
        default:
            return (error as Error).message?.includes("Connection terminated unexpectedly") ? 5_000 : 0;
    }
}

/** The failed connection in words: what was found and what to do. Never the password. */
export async function toConnectError(
    error: unknown,
    settings: ConnectionSettings,
    label: string,
): Promise<ConfigError> {
    const text = error instanceof Error ? error.message : String(error);
    const advice = adviceFor(error, text, settings) ?? (await networkAdvice(error, text, settings)) ?? text;
    return new ConfigError(scrub(`Cannot connect to ${label}: ${advice}`), { cause: error });
}

const certificateCodes =
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;

function adviceFor(error: unknown, text: string, settings: ConnectionSettings): string | undefined {
    const code = failureCode(error);
    if (code === "28P01" || /client password must be a (non-empty )?string/.test(text)) {
        const found = code ? "the password was refused" : "the server wants a password and there is none";
        return `${found} for user ${settings.user}. Check the URL; special characters in it must be %-encoded.`;
    }
    if (code === "28000") {
        const hint =
            settings.tls === false && /no encryption/.test(text) ? " Add sslmode=require to the URL." : "";
        return `${text}.${hint}`;
    }
    if (code === "3D000") return `${text}. Databases of a server are listed by: psql -l`;
    if (code === "53300")
        return `${text}: all of the server's connections are in use. Try later or raise max_connections.`;
    if (code === "57P03") return `${text}, and it still does after 30 s.`;
    if (/Tenant or user not found/.test(text)) {
        return `the pooler knows no user ${settings.user}: at a pooler the user is written as user.project.`;
    }
    if (/does not support SSL/.test(text)) {
        return "the server offers no TLS. On a network that you trust add sslmode=disable to the URL.";
    }
    if (certificateCodes.test(code)) {
        return (
            `TLS failed (${code}: ${text}). Name the authority's certificate by sslrootcert=FILE in the URL or by ` +
            "PGSSLROOTCERT; hosted databases offer it for download. sslmode=no-verify encrypts without checking who answers."
        );
    }
    return undefined;
}

async function networkAdvice(
    error: unknown,
    text: string,
    { host, port }: ConnectionSettings,
): Promise<string | undefined> {
    const code = failureCode(error);
    if (code === "ENOTFOUND" || code === "EAI_AGAIN")
        return `no address is known for host ${host} (${code}).`;
    if (code === "ENOENT") return `there is no socket in ${host}: is the server running?`;
    if (code === "EACCES") return `the socket in ${host} may not be used by this user.`;
    const unreachable =
        /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/.test(code) || /timeout/.test(text);
    if (unreachable && (await hasOnlyIpv6(host))) {
        return (
            `${host} has only an IPv6 address, and it cannot be reached from here (${code || text}). ` +
            "Use an address with IPv4, such as the pooler in session mode (port 5432)."
        );
    }
    if (unreachable)
        return `${host}:${port} does not answer (${code || text}). Check host, port and firewall.`;
    if (code === "ECONNREFUSED") return `nothing listens at ${host}:${port}. Is the server running?`;
    return undefined;
}

async function hasOnlyIpv6(host: string): Promise<boolean> {
    try {
        const addresses = await lookup(host, { all: true });
        return addresses.length > 0 && addresses.every(({ family }) => family === 6);
    } catch {
        return false;
    }
}
