import { startPostgres } from "../../sandbox/postgres.ts";

// A process of its own, which tests kill: starts the server in the folder given and stays.
const [, , dataDirectory, natives] = process.argv;
const server = await startPostgres({
    dataDirectory: dataDirectory!,
    ...(natives !== undefined && { natives }),
    note: (message) => console.error(message),
});
console.log(JSON.stringify({ port: server.port, isReused: server.isReused, url: server.url }));
setInterval(() => undefined, 1000);
