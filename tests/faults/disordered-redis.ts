/** The network between Redis and one node's ears: published messages are lost, doubled and swapped on it, by a seed. */
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";

export interface Disorder {
  /** What became of the messages so far. */
  readonly counts: {
    readonly arrived: number;
    readonly lost: number;
    readonly doubled: number;
    readonly swapped: number;
  };
}

const CR = 13;
const MESSAGE = Buffer.from("$7\r\nmessage\r\n");

/** Of a hundred messages so many are lost, doubled, or told after the next one. */
const LOST = 10;
const DOUBLED = 10;
const SWAPPED = 10;

/**
 * Resolves with the address to give to the node. All replies of Redis go through as they are, but those that are
 * published messages (RESP: an array of `message`, channel and payload) meet a fate.
 */
export async function startDisorder(url: string, seed: number): Promise<Disorder & { readonly url: string }> {
  const target = new URL(url);
  const random = seededRandom(seed);
  const counts = { arrived: 0, lost: 0, doubled: 0, swapped: 0 };
  const sockets = new Set<Socket>();

  const carry = (far: Socket, near: Socket) => {
    let unread: Buffer = Buffer.alloc(0);
    let late: Buffer | null = null;
    const pass = (message: Buffer) => {
      const fate = random() * 100;
      if (fate < LOST) {
        counts.lost += 1;
        return;
      }
      if (fate < LOST + DOUBLED) {
        counts.doubled += 1;
        near.write(Buffer.concat([message, message]));
      } else if (fate < LOST + DOUBLED + SWAPPED && late === null) {
        counts.swapped += 1;
        late = message;
        return;
      } else {
        counts.arrived += 1;
        near.write(message);
      }
      if (late !== null) near.write(late);
      late = null;
    };
    far.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (let end = endOfReply(unread, 0); end !== null; end = endOfReply(unread, 0)) {
        const reply = unread.subarray(0, end);
        unread = unread.subarray(end);
        if (reply.indexOf(MESSAGE) === lineEnd(reply, 0)) pass(reply);
        else near.write(reply);
      }
    });
  };
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
    // The end of one half is the end of the other.
    near.on("error", () => far.destroy()).once("close", () => far.destroy());
    far.on("error", () => near.destroy()).once("close", () => near.destroy());
    near.pipe(far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return { url: `redis://127.0.0.1:${address.port}`, counts };
}

/** Where the line that begins at `start` is over, its end included; null when it is not there yet. */
function lineEnd(bytes: Buffer, start: number): number | null {
  const end = bytes.indexOf(CR, start);
  return end === -1 || end + 2 > bytes.length ? null : end + 2;
}

/** Where the reply that begins at `start` is over; null when it is not there yet. Source: the RESP2 specification. */
function endOfReply(bytes: Buffer, start: number): number | null {
  const afterLine = lineEnd(bytes, start);
  if (afterLine === null) return null;
  const length = Number(bytes.toString("latin1", start + 1, afterLine - 2));
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case "$": {
      if (length < 0) return afterLine;
      const end = afterLine + length + 2;
      return end > bytes.length ? null : end;
    }
    case "*":
    case ">": {
      let end: number | null = afterLine;
      for (let element = 0; element < length && end !== null; element += 1) end = endOfReply(bytes, end);
      return end;
    }
    default:
      return afterLine;
  }
}
