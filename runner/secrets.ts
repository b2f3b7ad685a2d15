const secrets = new Set<string>();

/**
 * Remembers a value that must never be printed. Connection strings are taken apart: the whole, its
 * password, and the password decoded are each a secret of their own.
 */
export function registerSecret(value: string | undefined): void {
    if (!value || value.length < 4) return;
    const url = /^[a-z]+:\/\/[^\s]*$/i.test(value) ? parseUrl(value) : undefined;
    if (url) {
        if (!url.password) return;
        secrets.add(value);
        secrets.add(url.password);
        secrets.add(decodePassword(url.password));
        return;
    }
    secrets.add(value);
}

/** The text with every registered secret, and every password in a URL, replaced by `***`. */
export function scrub(text: string): string {
    let clean = text.replace(/\b([a-z]+:\/\/[^\s:/@]+):[^\s@]+@/gi, "$1:***@");
    for (const secret of [...secrets].sort((one, other) => other.length - one.length)) {
        clean = clean.replaceAll(secret, "***");
    }
    return clean;
}

/** A password with a bare % is no valid URL; whoever connects says so, and it stays a secret all the same. */
function decodePassword(password: string): string {
    try {
        return decodeURIComponent(password);
    } catch {
        return password;
    }
}

function parseUrl(value: string): URL | undefined {
    try {
        return new URL(value);
    } catch {
        return undefined;
    }
}
