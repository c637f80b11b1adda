/** Answers are bounded in number and bytes until their readers have taken them: `core/large-reads.ts` says how. */
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { LargeRead, LargeReads } from "../core/large-reads.ts";
import { callerOf } from "./caller.ts";

/**
 * In a scope that knows its callers: a request that reads takes a turn in the line; any other is refused while its caller
 * has not taken what was answered before.
 */
export function boundAnswers(scope: FastifyInstance, largeReads: LargeReads): void {
  const reads = new WeakMap<FastifyReply, LargeRead>();
  /** Node closes the response that a connection is in the midst of, and forgets those that are in line behind it. */
  const onConnection = new WeakMap<Socket, Set<LargeRead>>();

  const releaseWhenTaken = (reply: FastifyReply, socket: Socket, read: LargeRead) => {
    let open = onConnection.get(socket);
    if (open === undefined) {
      const reads = new Set<LargeRead>();
      open = reads;
      onConnection.set(socket, reads);
      socket.once("close", () => {
        for (const each of reads) each.release();
      });
    }
    const ofConnection = open;
    ofConnection.add(read);
    const release = () => {
      ofConnection.delete(read);
      read.release();
    };
    // After the last byte, or when the connection broke.
    reply.raw.once("close", release);
    // Neither comes where it broke while the read waited for its turn.
    if (socket.destroyed || reply.raw.destroyed) release();
  };

  scope.addHook("preHandler", async (request, reply) => {
    const { id } = callerOf(request);
    const { socket } = request.raw;
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (!isReading) largeReads.checkTaken(id);
    const read = isReading ? await largeReads.take(id, () => socket.destroy()) : largeReads.hold(id, 0);
    reads.set(reply, read);
    releaseWhenTaken(reply, socket, read);
  });

  scope.addHook("onSend", async (_request, reply, payload) => {
    reads.get(reply)?.hold(typeof payload === "string" ? Buffer.byteLength(payload) : 0);
    return payload;
  });
}
