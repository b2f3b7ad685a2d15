import { describe, expect, it } from "vitest";
import { registerSecret, scrub, scrubbedJson } from "../../runner/secrets.ts";

/** A password with all that URLs, JSON and regular expressions make difficult. */
const password = 'p@ss/w"rd#1%$&x';
const encoded = encodeURIComponent(password);

describe("secrets", () => {
    it("are scrubbed in every form in which they can be written", () => {
        registerSecret(`postgres://clerk:${encoded}@db.example/shop`);
        for (const text of [
            password,
            encoded,
            JSON.stringify(password),
            `postgres://clerk:${encoded}@db.example/shop`,
        ]) {
            expect(scrub(`before ${text} after`)).not.toMatch(/p@ss|p%40ss|w\\?"rd|w%22rd/);
        }
        expect(scrub("postgres://nobody:un@registered@h/d and more")).toBe(
            "postgres://nobody:***@h/d and more",
        );
        registerSecret("4711x");
        expect(JSON.parse(scrubbedJson({ rows: 4711, text: "4711x" }))).toEqual({ rows: 4711, text: "***" });
    });
});
