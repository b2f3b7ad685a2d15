/**
 * Readers in a process of their own, `reader-process.ts URL OPTIONS`, where nobody else's work delays what they
 * measure. Says when all of them read, stops at the end of stdin, and prints the report.
 */
import { once } from "node:events";
import { type ReaderOptions, withReaders } from "./readers.ts";

const [url, options] = process.argv.slice(2);
process.stdin.resume();
const report = await withReaders(url!, JSON.parse(options!) as ReaderOptions, async () => {
    console.log("reading");
    await once(process.stdin, "end");
});
console.log(JSON.stringify(report));
