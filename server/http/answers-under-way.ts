/** Answers are bounded in number and bytes until their readers have taken them: `core/large-reads.ts` says how. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { LargeRead, LargeReads } from "../core/large-reads.ts";
import { callerOf } from "./caller.ts";

/**
 * In a scope that knows its callers: a request that reads takes a turn in the line; any other is refused while its caller
 * has not taken what was answered before.
 */
export function boundAnswers(scope: FastifyInstance, largeReads: LargeReads): void {
  const reads = new WeakMap<FastifyReply, LargeRead>();

  scope.addHook("preHandler", async (request, reply) => {
    const { id } = callerOf(request);
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!isReading) largeReads.checkTaken(id);
    const read = isReading ? await largeReads.take(id, () => reply.raw.destroy()) : largeReads.hold(id, 0);
    reads.set(reply, read);
    // Comes once, after the last byte or when the connection broke.
    reply.raw.once("close", read.release);
    if (reply.raw.destroyed) read.release();
  });

  scope.addHook("onSend", async (_request, reply, payload) => {
    reads.get(reply)?.hold(typeof payload === "string" ? Buffer.byteLength(payload) : 0);
    return payload;
  });
}
