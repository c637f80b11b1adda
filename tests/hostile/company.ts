/** Who is there while a server is told nonsense: three who say it, and one who is to hear nothing of it. */
import { expect } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import type { Stack } from "../support/stack.ts";
import { REPLACEMENT } from "./values.ts";

export const SPEAKERS = ["ann", "ben", "cat"] as const;
export type SpeakerName = (typeof SPEAKERS)[number];

/** Shares a conversation with nobody. */
const BYSTANDER = "zoe-the-bystander";
const BYSTANDERS_GROUP = "group-of-the-bystander";
/** Made by somebody who says nothing, so that none of the speakers can end it. */
const WARDEN = "warden";
const GROUP = "group-of-all";

/** Nothing of this kind comes near a limit: what is tried is not how much. */
export const NO_LIMITS = {
  SEND_RATE: "2000000000",
  SEND_BURST: "2000000000",
  MAX_SOCKETS_PER_USER: "100000",
  // It is built on some machines and not on others.
  WEB_PAGE: "off",
};

interface Speaker {
  readonly name: SpeakerName;
  readonly other: SpeakerName;
  readonly third: SpeakerName;
  readonly directId: string;
  /** Ids of messages, which change as they are sent. */
  own: string;
  theirs: string;
}

export class Company {
  readonly speakers: readonly Speaker[];
  readonly #foreign: { readonly direct: string; readonly message: string };
  readonly #stack: Stack;
  #lastMessage: string;
  #uniques = 0;

  private constructor(stack: Stack, speakers: readonly Speaker[], foreign: { direct: string; message: string }) {
    this.#stack = stack;
    this.speakers = speakers;
    this.#foreign = foreign;
    this.#lastMessage = speakers[0]?.own ?? "";
  }

  static async gather(stack: Stack): Promise<Company> {
    await stack.introduce(...SPEAKERS, WARDEN, BYSTANDER);
    const post = async (username: string, room: string): Promise<Frame> => {
      const { status, body } = await stack.request(username, "POST", `/api/rooms/${room}/messages`, {
        message: "hello",
      });
      expect(status).toBe(201);
      return body;
    };
    const group = async (username: string, id: string) => {
      const body = { type: "group", name: id, id, members: [] };
      expect(await stack.request(username, "POST", "/api/conversations", body)).toMatchObject({ status: 201 });
    };
    await group(WARDEN, GROUP);
    await group(BYSTANDER, BYSTANDERS_GROUP);
    const speakers: Speaker[] = [];
    for (const [name, other, third] of [
      ["ann", "ben", "cat"],
      ["ben", "ann", "cat"],
      ["cat", "ann", "ben"],
    ] as const) {
      const [own, theirs] = [await post(name, other), await post(other, name)];
      speakers.push({ name, other, third, directId: own.conversation_id, own: own.id, theirs: theirs.id });
    }
    const secret = await post(BYSTANDER, BYSTANDER);
    const company = new Company(stack, speakers, { direct: secret.conversation_id, message: secret.id });
    await company.regroup();
    return company;
  }

  /** Whoever left the group is in it again. */
  async regroup(): Promise<void> {
    const body = { members: SPEAKERS };
    const { status } = await this.#stack.request(WARDEN, "POST", `/api/conversations/${GROUP}/members`, body);
    expect(status).toBe(200);
  }

  speaker(name: SpeakerName): Speaker {
    const found = this.speakers.find((each) => each.name === name);
    if (found === undefined) throw new Error(`${name} is not here`);
    return found;
  }

  /** An id that no other case has, and that says who is to be the sender of what carries it. */
  unique(name: SpeakerName): string {
    this.#uniques += 1;
    return `${name}.${this.#uniques}`;
  }

  /** The text with the real ids in the place of its placeholders. */
  fill(text: string, name: SpeakerName, unique: string): string {
    const speaker = this.speaker(name);
    const ids: Readonly<Record<string, string>> = {
      "message-own": speaker.own,
      "message-theirs": speaker.theirs,
      "message-foreign": this.#foreign.message,
      "message-last": this.#lastMessage,
      direct: speaker.directId,
      group: GROUP,
      "foreign-direct": this.#foreign.direct,
      "foreign-group": BYSTANDERS_GROUP,
      self: name,
      other: speaker.other,
      third: speaker.third,
      unique,
    };
    return text.replaceAll(/@([a-z-]+)@/g, (whole, id: string) => ids[id] ?? whole);
  }

  /** A message that somebody sent just now. */
  heard(id: string, conversationId: string | null, sender: string): void {
    this.#lastMessage = id;
    for (const speaker of this.speakers) {
      if (conversationId !== null && conversationId !== speaker.directId) continue;
      if (sender === speaker.name) speaker.own = id;
      else if (sender === speaker.other && conversationId !== null) speaker.theirs = id;
    }
  }

  /** Opens the bystander's sockets on every path of every node. */
  async watch(): Promise<Watch> {
    const watch = new Watch();
    for (const node of this.#stack.nodes.keys()) {
      for (const path of [
        "/ws/notifications/",
        `/ws/${BYSTANDER}/`,
        `/ws/notifications/${BYSTANDER}/`,
        "/chat",
        "/rooms",
      ]) {
        await watch.add(path, await this.#stack.connect(BYSTANDER, path, { node }));
      }
    }
    await watch.settle();
    return watch;
  }

  isSender(id: unknown): boolean {
    return (SPEAKERS as readonly unknown[]).includes(id);
  }
}

/** The sockets of somebody who is to hear nothing. */
export class Watch {
  readonly #sockets: { readonly path: string; readonly socket: Communicator }[] = [];
  readonly #heard: string[] = [];

  async add(path: string, socket: Communicator): Promise<void> {
    this.#sockets.push({ path, socket });
    if (path === "/rooms") socket.send({ event: "connectRooms", data: {} });
    await fenced(path, socket);
    socket.socket.on("message", (data) => {
      const text = data.toString();
      const frame: Frame = JSON.parse(text);
      if (!isFence(frame) && frame.event !== "pong") this.#heard.push(`${path}: ${text}`);
    });
  }

  /** What the sockets of these first moments tell each other has come. */
  async settle(): Promise<void> {
    for (const { path, socket } of this.#sockets) await fenced(path, socket);
    this.#heard.length = 0;
  }

  async expectNothing(): Promise<void> {
    for (const { path, socket } of this.#sockets) await fenced(path, socket);
    expect(this.#heard).toEqual([]);
  }
}

/** Everything that the server had for the socket until now has come. */
async function fenced(path: string, socket: Communicator): Promise<void> {
  socket.send(path.startsWith("/ws/") ? { type: "ping" } : { event: "ping", data: {}, id: "fence" });
  while (!isFence(await socket.receive())) {
    // What comes before is not waited for.
  }
}

function isFence(frame: Frame): boolean {
  return frame.type === "pong" || (frame.event === "ack" && frame.id === "fence");
}

/** Whether text can be what somebody sent: a lone surrogate that was let through would be stored as a replacement. */
export function isWhole(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000") && !text.includes(REPLACEMENT);
}
