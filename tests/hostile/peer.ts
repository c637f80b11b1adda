/**
 * A WebSocket peer that says whatever bytes it likes, on a server of its own: the framing is the same on every foundation.
 * Frames, masks and lengths are as RFC 6455, 5.2 has them, or on purpose are not.
 */
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { RawClient } from "../handshake/raw-client.ts";
import type { Frame } from "../support/communicator.ts";
import { startNodeOn, type TestNode } from "../support/stack.ts";
import { NO_LIMITS } from "./company.ts";

export const FIN = 0x80;
export const [RSV1, RSV2, RSV3] = [0x40, 0x20, 0x10];
export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0x0, 0x1, 0x2, 0x8, 0x9, 0xa];

/** Not zero, so that whoever forgets to take the mask off reads nonsense. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export interface FrameOptions {
  /** Bytes of the length: as few as will do without it. */
  readonly lengthBytes?: 0 | 2 | 8;
  readonly isMasked?: boolean;
}

/** `first`: FIN, reserved bits, opcode. */
export function frame(first: number, payload: string | Buffer = "", options: FrameOptions = {}): Buffer {
  const bytes = Buffer.from(payload);
  const { isMasked = true, lengthBytes = bytes.length < 126 ? 0 : bytes.length <= 0xffff ? 2 : 8 } = options;
  const length = Buffer.alloc(lengthBytes);
  if (lengthBytes === 2) length.writeUInt16BE(bytes.length);
  if (lengthBytes === 8) length.writeBigUInt64BE(BigInt(bytes.length));
  const second = (isMasked ? 0x80 : 0) | { 0: bytes.length, 2: 126, 8: 127 }[lengthBytes];
  const head = [Buffer.from([first, second]), length];
  if (!isMasked) return Buffer.concat([...head, bytes]);
  return Buffer.concat([...head, MASK, bytes.map((byte, index) => byte ^ (MASK[index % MASK.length] ?? 0))]);
}

/** The payload of a close frame. */
export function closing(code: number, reason: string | Buffer = ""): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

export const said = (message: string): string => JSON.stringify({ type: "chat_message", message });

/** Somebody alone in the conversation with themselves, after the first frames. */
export class Peer {
  readonly name: string;
  readonly client: RawClient;

  constructor(name: string, client: RawClient) {
    this.name = name;
    this.client = client;
  }

  write(...frames: readonly Buffer[]): void {
    this.client.socket.write(Buffer.concat(frames));
  }

  async receive(): Promise<Frame> {
    const { opcode, payload } = await this.client.frame();
    expect(opcode).toBe(TEXT);
    return JSON.parse(payload.toString());
  }

  /** What comes next is the echo of this message. */
  async expectEcho(message: string): Promise<void> {
    expect(await this.receive()).toMatchObject({ type: "chat_message", message });
  }

  async expectPong(payload: string | Buffer): Promise<void> {
    const answer = await this.client.frame();
    expect({ opcode: answer.opcode, payload: answer.payload }).toEqual({ opcode: PONG, payload: Buffer.from(payload) });
  }

  /** What comes next is a close frame of this code (null: without one), and then the end of the connection. */
  async expectClose(code: number | null): Promise<void> {
    const { opcode, payload } = await this.client.frame();
    expect({ opcode, code: payload.length === 0 ? null : payload.readUInt16BE() }).toEqual({ opcode: CLOSE, code });
    expect(await this.client.rest()).toBe("");
  }
}

interface Wire {
  open(): Promise<Peer>;
  /** The same person again. */
  reopen(peer: Peer): Promise<Peer>;
}

/** A suite on a server; after each test the server is as well as before: nothing uncaught, a new socket is answered. */
export function describeWire(name: string, suite: (wire: Wire) => void): void {
  describe(name, () => {
    let node: TestNode | undefined;
    let people = 0;
    const peers: Peer[] = [];
    const uncaught = vi.fn();
    const upgrade = async (person: string) => {
      const peer = new Peer(person, await RawClient.upgraded(node, person, `/ws/${person}/`));
      peers.push(peer);
      expect((await peer.receive()).type).toBe("online_user_list");
      return peer;
    };
    const wire: Wire = {
      open: async () => {
        people += 1;
        const peer = await upgrade(`peer-${people}`);
        expect((await peer.receive()).type).toBe("user_join");
        return peer;
      },
      reopen: ({ name: person }) => upgrade(person),
    };
    beforeAll(async () => {
      // What comes is looked at frame by frame: the server's own pings stay away.
      const store = createStore(await openPglite(null), newId);
      node = await startNodeOn(store, new MemoryBroker().join(), { ...NO_LIMITS, PING_SECONDS: "3600" });
      process.on("uncaughtException", uncaught).on("unhandledRejection", uncaught);
    });
    afterEach(async () => {
      const well = await wire.open();
      well.write(frame(FIN | TEXT, said("all is well")));
      await well.expectEcho("all is well");
      for (const peer of peers.splice(0)) peer.client.reset();
      expect(uncaught).not.toHaveBeenCalled();
    });
    afterAll(async () => {
      process.off("uncaughtException", uncaught).off("unhandledRejection", uncaught);
      await node?.server.close();
    });
    suite(wire);
  });
}
