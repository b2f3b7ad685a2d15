import { startPostgres } from "../../sandbox/postgres.ts";

// A process of its own, which tests kill: starts the server in the folder given and stays.
const server = await startPostgres({
    dataDirectory: process.argv[2]!,
    note: (message) => console.error(message),
});
console.log(JSON.stringify({ port: server.port, isReused: server.isReused, url: server.url }));
setInterval(() => undefined, 1000);
