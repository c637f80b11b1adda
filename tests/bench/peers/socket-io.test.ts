import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { postgresUrl, redisUrl, servicesMissing } from "../../support/services.ts";
import { tokenFor } from "../../support/stack.ts";
import { endPeersAfterEach, type PeerProcess, startPeer } from "./peer-process.ts";
import { SocketIoClient } from "./socket-io-client.ts";
import { type PeerStorage, postgresStorage } from "./storage.ts";

/** Ms; a process takes one or two seconds to start, more on a loaded machine. */
const DEADLINE = 60_000;

const isMissing = postgresUrl === undefined || redisUrl === undefined;

describe.skipIf(isMissing)(`socket-io${isMissing ? ` (${servicesMissing})` : ""}`, { timeout: DEADLINE }, () => {
  let storage: PeerStorage;
  let peer: PeerProcess;
  beforeEach(async () => {
    storage = await postgresStorage();
    peer = await startPeer("socket-io", { ...storage.settings, REDIS_URL: redisUrl ?? "" });
  }, DEADLINE);
  // Registered before the end of the processes, hence run after it.
  afterEach(() => storage.clear());
  endPeersAfterEach();

  const connect = async (username: string) => SocketIoClient.connect(peer.sockets, await tokenFor(username));

  async function join(username: string, room: string): Promise<SocketIoClient> {
    const client = await connect(username);
    await client.request("join", { room });
    return client;
  }

  /** A badge, with the count that it said first. */
  async function openBadge(username: string): Promise<[SocketIoClient, number]> {
    const client = await connect(username);
    await client.request("notifications", {});
    const [name, { unread_count: unread }] = await client.receive();
    expect(name).toBe("unread_count");
    return [client, unread];
  }

  test("messages reach both sides in one order, and are stored", async () => {
    const [alice, bob] = [await join("alice", "bob"), await join("bob", "alice")];
    const count = 50;
    for (let number = 1; number <= count; number += 1) {
      alice.emit("chat_message", { room: "bob", message: `alice ${number}`, client_id: `a-${number}` });
      bob.emit("chat_message", { room: "alice", message: `bob ${number}`, client_id: `b-${number}` });
    }
    const seen = await alice.receiveMany(2 * count);
    expect(await bob.receiveMany(2 * count)).toEqual(seen);
    expect(seen.every(([name]) => name === "chat_message")).toBe(true);
    const messages = seen.map(([, message]) => message);
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
    for (const [letter, username, room] of [
      ["a", "alice", "bob"],
      ["b", "bob", "alice"],
    ]) {
      const said = messages.filter((message) => message.from_user.username === username);
      expect(said.map(({ client_id: clientId }) => clientId)).toEqual(said.map((_, index) => `${letter}-${index + 1}`));
      expect(said[0]).toMatchObject({ message: `${username} 1`, room, date_added: expect.any(String) });
    }
    expect(peer.errors).toEqual([]);
    expect(await peer.end("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(await storage.messages()).toEqual(
      messages.map(({ id, seq, message: text, from_user: { username: sender }, date_added: createdAt }) => {
        return { id, room: "alice bob", seq, sender, text, createdAt };
      }),
    );
  });

  test("badges count the messages of others, whenever they are opened", async () => {
    const [alice, bob] = [await join("alice", "bob"), await join("bob", "alice")];
    const [[aliceBadge], [bobBadge, before]] = [await openBadge("alice"), await openBadge("bob")];
    expect(before).toBe(0);
    for (const message of ["one", "two"]) alice.emit("chat_message", { room: "bob", message });
    expect(await bobBadge.receiveMany(2)).toEqual([
      ["new_message_notification", { unread_count: 1 }],
      ["new_message_notification", { unread_count: 2 }],
    ]);
    bob.emit("chat_message", { room: "alice", message: "three" });
    // Alice's first news is Bob's message: her own were none.
    expect(await aliceBadge.receive()).toEqual(["new_message_notification", { unread_count: 1 }]);
    expect((await openBadge("bob"))[1]).toBe(2);
  });

  test("who has no token does not get in; a message to a room that was not joined goes nowhere", async () => {
    await expect(SocketIoClient.connect(peer.sockets, "forged")).rejects.toThrow(/^44/);
    const alice = await connect("alice");
    alice.emit("chat_message", { room: "bob", message: "lost" });
    alice.emit("chat_message", null);
    await alice.request("join", { room: "bob" });
    alice.emit("chat_message", { room: "bob", message: 1 });
    alice.emit("chat_message", { room: "bob", message: "heard" });
    expect(await alice.receive()).toEqual(["chat_message", expect.objectContaining({ seq: 1, message: "heard" })]);
  });

  test("messages and badges go over Redis too, for the nodes that a cluster would have", async () => {
    const redis = new Redis(redisUrl ?? "");
    const channels: string[] = [];
    redis.on("pmessage", (_pattern, channel) => channels.push(channel));
    // Others may be using this Redis: names that nobody else has.
    const [from, to] = [`a-${randomUUID()}`, `b-${randomUUID()}`];
    await redis.psubscribe(`socket.io-*${to}#`);
    const sender = await join(from, to);
    sender.emit("chat_message", { room: to, message: "hello" });
    await sender.receive();
    await expect
      .poll(() => channels.map((channel) => channel.split("#")[2]))
      .toEqual([`room:${from} ${to}`, `user:${to}`]);
    redis.disconnect();
  });
});
