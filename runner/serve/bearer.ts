import { createHash, timingSafeEqual } from "node:crypto";

/** Whether an Authorization header carries the token; the time it takes tells nothing about either. */
export function hasToken(header: string | undefined, token: string): boolean {
    const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "";
    // Digests are of one length, which the comparison needs.
    return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
    return createHash("sha256").update(text).digest();
}
