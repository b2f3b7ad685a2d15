import type { FastifyReply } from "fastify";
import { scrub } from "../secrets.ts";

/** Every answer that is not the one that was asked for has this shape. */
export function refuse(reply: FastifyReply, code: number, error: string, message: string): FastifyReply {
    return reply.code(code).send({ error, message: scrub(message) });
}
