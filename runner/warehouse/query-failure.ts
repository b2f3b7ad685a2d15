import { QueryError } from "../errors.ts";
import { scrub } from "../secrets.ts";

/** What DuckDB reports of an error under `errors_as_json`. */
interface EngineError {
    readonly exception_type: string;
    readonly exception_message: string;
    /** Byte offset in the statements as sent. */
    readonly position?: string;
}

/**
 * DuckDB's error as a QueryError. Connections run with `errors_as_json`, because the text form cuts long
 * lines before it draws its caret, and tells no offset at all where a statement follows another one.
 */
export function toQueryError(error: unknown, sql: string): QueryError {
    if (error instanceof QueryError) return error;
    const text = error instanceof Error ? error.message : String(error);
    const parsed = parseEngineError(text);
    if (!parsed) return new QueryError(scrub(withAdvice(text)), { engine: "duckdb", sql }, { cause: error });
    if (parsed.exception_type === "INTERRUPT") return interruptedError(sql);
    const code = `${parsed.exception_type} Error`;
    const offset = parsed.position === undefined ? undefined : characterOffset(sql, Number(parsed.position));
    return new QueryError(
        scrub(`${code}: ${withAdvice(parsed.exception_message)}`),
        { engine: "duckdb", sql, code, ...(offset === undefined ? {} : { offset }) },
        { cause: error },
    );
}

export function interruptedError(sql: string): QueryError {
    return new QueryError("Interrupted Error: Interrupted!", { engine: "duckdb", sql, code: "Interrupted" });
}

/** DuckDB's own advice is to set pragmas; here these settings live in profiles.yml. */
function withAdvice(message: string): string {
    if (/No space left on device/.test(message)) {
        return `${message}\nFree space there, or point path and spill_directory under warehouse in profiles.yml at a larger disk.`;
    }
    const [first] = message.split(/\nThis limit was set by|\n+Possible solutions:/);
    if (first === message) return message;
    const spill = /failed to offload/.test(message)
        ? "The disk under spill_directory is full: free space there, or"
        : "To get by,";
    return `${first}\n${spill} raise memory_limit or lower threads and concurrency, under warehouse in profiles.yml.`;
}

/** Parser errors come with a prefix before the JSON, others without. */
function parseEngineError(text: string): EngineError | undefined {
    const start = text.indexOf('{"exception_type"');
    if (start < 0) return undefined;
    try {
        return JSON.parse(text.slice(start)) as EngineError;
    } catch {
        return undefined;
    }
}

/** DuckDB counts bytes of UTF-8. A position past the end belongs to the text of a view or macro, not to `sql`. */
function characterOffset(sql: string, bytes: number): number | undefined {
    const encoded = Buffer.from(sql, "utf8");
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > encoded.length) return undefined;
    return encoded.subarray(0, bytes).toString("utf8").length;
}
