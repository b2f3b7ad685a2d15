const secrets = new Set<string>();
/** The same, longest first: one that contains another must go before it. */
let ordered: readonly string[] = [];

/**
 * Remembers a value that must never be printed. Connection strings are taken apart: the whole, its password,
 * and the password decoded are each a secret of their own, as they are and as JSON or a URL would write them.
 */
export function registerSecret(value: string | undefined): void {
    if (!value || value.length < 4) return;
    const url = /^[a-z]+:\/\/[^\s]*$/i.test(value) ? parseUrl(value) : undefined;
    if (url && !url.password) return;
    remember(value);
    if (!url) return;
    registerPassword(url.password, url.username);
    registerPassword(decodePassword(url.password), url.username);
}

/**
 * A password that is the user's name, or a part of it, protects nothing: the name stands in every message. Without
 * it `postgres` would vanish from every line.
 */
export function registerPassword(password: string | undefined, user: string): void {
    if (password !== undefined && password.length >= 4 && !user.includes(password)) remember(password);
}

/** A secret although it is a URL without a password, such as a webhook's. */
export function registerSecretUrl(url: string): void {
    if (url !== "") remember(url);
}

const secretName = /(key|token|secret|passwd|password|credentials?|webhook_url)$/i;
/** Shorter values of variables that are called so are rather switches than secrets. */
const shortest = 8;

/** Registers what an environment holds of secrets: values called key, token or password, and URLs with passwords. */
export function registerEnvironment(env: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value = ""] of Object.entries(env)) {
        if (secretName.test(name) && value.length >= shortest) remember(value);
        else if (/^[a-z]+:\/\/[^\s]*@/i.test(value)) registerSecret(value);
    }
}

/** The text with every registered secret, and every password in a URL, replaced by `***`. */
export function scrub(text: string): string {
    let clean = text;
    for (const secret of ordered) clean = clean.replaceAll(secret, "***");
    // Up to the last @ of the word: a password that nobody encoded may hold one itself. Messages that explain how a URL
    // is written have the word password in the password's place.
    return clean.replace(/\b([a-zA-Z]+:\/\/[^\s:/@"']*):(?!password@)[^\s"']*@/g, "$1:***@");
}

/** JSON whose texts are scrubbed one by one: what stands between them stays JSON, whatever a secret looks like. */
export function scrubbedJson(value: unknown, space?: number): string {
    return JSON.stringify(
        value,
        (_key, inner) => {
            if (typeof inner === "bigint") return inner.toString();
            return typeof inner === "string" ? scrub(inner) : inner;
        },
        space,
    );
}

function remember(secret: string): void {
    for (const form of [secret, encodeURIComponent(secret)]) {
        secrets.add(form);
        secrets.add(JSON.stringify(form).slice(1, -1));
    }
    ordered = [...secrets].sort((one, other) => other.length - one.length);
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
