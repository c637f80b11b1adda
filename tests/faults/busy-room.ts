/** A group with one who talks, some who read, and some who stop reading; each message is as large as it may be. */
import { once } from "node:events";
import { expect } from "vitest";
import { WebSocket } from "ws";
import type { Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";

/** 40,000 bytes. */
const LARGEST = "😀".repeat(10_000);
const TALKER = "talker";
const READER = "reader";
const SLEEPER = "sleeper";

/** A socket in the room, and how far it has heard. */
class Listener {
  readonly socket: WebSocket;
  /** The number of the last change that it was told. */
  heard: number;
  /** Numbers that were not one more than the one before. */
  faults = 0;
  isCaughtUp = false;
  closeCode: number | null = null;
  #arrived: () => void = () => {};

  constructor(socket: WebSocket, since: number) {
    this.socket = socket;
    this.heard = since;
    socket.on("message", (data) => this.#hear(JSON.parse(data.toString())));
    socket.on("close", (code) => {
      this.closeCode = code;
      this.#arrived();
    });
  }

  /** Resolves when this holds. Rejects when the socket is closed before. */
  async until(holds: (listener: Listener) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.closeCode !== null) throw new Error(`a socket was closed with ${this.closeCode} after ${this.heard}`);
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  #hear({ type, seq }: Frame): void {
    if (type === "chat_message") {
      if (seq !== this.heard + 1) this.faults += 1;
      this.heard = seq;
    } else if (type === "resumed") this.isCaughtUp = true;
    this.#arrived();
  }
}

export type { Listener };

export class BusyRoom {
  /** Messages that were sent, each acknowledged. */
  sent = 0;
  readonly readers: Listener[] = [];
  readonly #url: string;
  readonly #id: string;
  readonly #opened: Listener[] = [];

  private constructor(url: string, id: string) {
    this.#url = url;
    this.#id = id;
  }

  /** `url`: of the node that all are on. The first of the readers talks. */
  static async open(url: string, readers: number): Promise<BusyRoom> {
    const ask = async (name: string, path: string, body?: object) => {
      const response = await fetch(`${url}${path}`, {
        headers: { authorization: `Bearer ${await tokenFor(name)}`, "content-type": "application/json" },
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
      expect(response.status).toBeLessThan(300);
      return response.json();
    };
    const members = [TALKER, READER, SLEEPER];
    for (const name of members) await ask(name, "/api/me");
    const { id }: Frame = await ask(TALKER, "/api/conversations", { type: "group", name: "busy", members });
    const room = new BusyRoom(url, id);
    room.readers.push(await room.#enter(TALKER, 0));
    while (room.readers.length < readers) room.readers.push(await room.#enter(READER, 0));
    return room;
  }

  /** Opens sockets that take what there is until now, and nothing more. */
  async stall(count: number): Promise<Listener[]> {
    const stalled: Listener[] = [];
    while (stalled.length < count) {
      const listener = await this.#enter(SLEEPER, this.sent);
      listener.socket.pause();
      stalled.push(listener);
    }
    return stalled;
  }

  /** Sends one message. Resolves with the ms until all readers have it: the talker, for whom it is the acknowledgement, too. */
  async say(): Promise<number> {
    const begun = performance.now();
    this.readers[0]?.socket.send(JSON.stringify({ type: "chat_message", message: LARGEST }));
    const seq = this.sent + 1;
    await Promise.all(this.readers.map((reader) => reader.until(({ heard }) => heard >= seq)));
    this.sent = seq;
    return performance.now() - begun;
  }

  /** Lets a stalled socket read again, to its end; resolves with how it was closed. */
  async wake({ socket }: Listener): Promise<number> {
    const closed = once(socket, "close");
    socket.resume();
    const [code] = await closed;
    return code;
  }

  /** A stalled one comes back, and resolves when it was told what it missed. Its socket is closed again. */
  async comeBack({ heard }: Listener): Promise<Listener> {
    const listener = await this.#enter(SLEEPER, heard);
    listener.socket.terminate();
    return listener;
  }

  close(): void {
    for (const { socket } of this.#opened) socket.terminate();
  }

  async #enter(name: string, since: number): Promise<Listener> {
    const authorization = `Bearer ${await tokenFor(name)}`;
    const url = `${this.#url.replace("http", "ws")}/ws/${this.#id}/?since=${since}`;
    const listener = new Listener(new WebSocket(url, { headers: { authorization } }), since);
    this.#opened.push(listener);
    await listener.until(({ isCaughtUp }) => isCaughtUp);
    return listener;
  }
}
