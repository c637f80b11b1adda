/** Two people who say much to each other at once, and what the library promises them. */
import { expect } from "vitest";
import { type ChatMessage, connectRoom, type Room, type WireFrame } from "../../client/index.ts";
import type { Stack } from "../support/stack.ts";
import { as, history, numbered, people, range, urlOf } from "./clients.ts";

interface Told {
  readonly id: string;
  readonly seq: number;
  readonly content: string;
  readonly from: string;
}

/** One of the two: all that they were delivered, and how often their line was mended. */
class Talker {
  readonly username: string;
  readonly room: Room;
  readonly told: Told[] = [];
  /** The room stands at its last message, for this one. */
  readonly isTold: Promise<void>;
  resumed = 0;
  /** Own messages that were stored although their acknowledgement was lost: they came with what was missed, or repeated. */
  unacknowledged = 0;
  readonly #messages: number;

  constructor(username: string, other: string, { url, messages }: { url: string; messages: number }) {
    this.username = username;
    this.#messages = messages;
    const onWire = ({ direction, text }: WireFrame) => {
      if (direction === "in" && text.includes('"repeated":true')) this.unacknowledged += 1;
    };
    this.room = connectRoom(other, { ...as(username, url), since: 0, onWire });
    this.room.on("resumed", () => {
      this.resumed += 1;
    });
    this.isTold = new Promise((resolve) => {
      this.room.on("chat_message", ({ id, seq, message, from_user }) => {
        this.told.push({ id, seq, content: message, from: from_user.username });
        if (from_user.username === username && this.room.state.name !== "open") this.unacknowledged += 1;
        if (seq >= 2 * messages) resolve();
      });
    });
  }

  talk(): Promise<ChatMessage[]> {
    return Promise.all(numbered(this.username, this.#messages).map((text) => this.room.send(text)));
  }
}

/**
 * Two people send `messages` each in one room, as fast as it goes. Every message is stored once, in its sender's order; every
 * promise is kept with its own message; both are told all of them once, in the order of `seq`, without a gap.
 */
export async function expectPromiseKept(stack: Stack, { url, messages }: { url: string; messages: number }) {
  const [alice, bob] = people("alice", "bob");
  await stack.introduce(alice, bob);
  const talkers = [new Talker(alice, bob, { url, messages }), new Talker(bob, alice, { url, messages })];
  const sent = await Promise.all(talkers.map((talker) => talker.talk()));
  await Promise.all(talkers.map(({ isTold }) => isTold));
  for (const { room } of talkers) room.close();

  const stored = await history(alice, urlOf(stack), bob);
  expect(stored.map(({ seq }) => seq)).toEqual(range(1, 2 * messages));
  for (const [index, { username }] of talkers.entries()) {
    const own = stored.filter(({ from_user }) => from_user.username === username);
    expect(own.map(({ content }) => content)).toEqual(numbered(username, messages));
    expect(sent[index]?.map(({ id, seq, message }) => ({ id, seq, content: message }))).toEqual(
      own.map(({ id, seq, content }) => ({ id, seq, content })),
    );
  }
  const all = stored.map(({ id, seq, content, from_user }) => ({ id, seq, content, from: from_user.username }));
  for (const { told } of talkers) expect(told).toEqual(all);
  return {
    resumed: talkers.reduce((sum, { resumed }) => sum + resumed, 0),
    unacknowledged: talkers.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0),
  };
}
