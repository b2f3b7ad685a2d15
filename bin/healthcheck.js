// The image's HEALTHCHECK. A service is healthy when it answers; a single run is as long as it lives, and process 1
// says which of the two this container is. Plain JavaScript: it runs every half minute.
import { readFileSync } from "node:fs";

const words = readFileSync("/proc/1/cmdline", "utf8").split("\0");
if (words.includes("serve")) {
    const given = words[words.indexOf("--port") + 1];
    const port = words.includes("--port") ? given : (process.env.PORT ?? "8080");
    const response = await fetch(`http://localhost:${port}/healthz`, { signal: AbortSignal.timeout(4000) });
    process.exitCode = response.ok ? 0 : 1;
}
