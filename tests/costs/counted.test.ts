/** What things cost, counted: calls of the store (each is one query or one batch) and publishes to the layer. */
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Database, openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Profile } from "../../server/core/model.ts";
import type { Store } from "../../server/core/store.ts";
import { draft, profileOf } from "../support/storage.ts";
import { CountedNode } from "./counted-node.ts";

describe("counted costs", () => {
  let database: Database;
  let store: Store;
  let node: CountedNode;

  beforeAll(async () => {
    database = await openPglite(null);
    store = createStore(database, newId);
    node = await CountedNode.start(store, new MemoryBroker().join());
  });
  afterEach(() => node.disconnectAll());
  afterAll(async () => {
    await node?.close();
    await database?.close();
  });

  const connect = (username: string, path: string) => node.connect({ id: username }, path);
  /** Without the mark of when somebody was last seen, which belongs to the sockets that closed before. */
  const calls = () => node.calls.filter((method) => method !== "markSeen");

  /** Somebody whose token says the same as storage: the username is their id. */
  async function known(username: string): Promise<Profile> {
    const profile = profileOf(username, { id: username, username });
    await store.putUser(profile);
    return profile;
  }

  /** Somebody with a conversation with each of so many others, and a message of each of them. */
  async function acquainted(username: string, others: number): Promise<string> {
    await known(username);
    for (let index = 0; index < others; index += 1) {
      const friend = await known(`${username}-friend-${index}`);
      const { conversation } = await store.openDirect(username, friend.id);
      await store.send([draft(friend, conversation.id)]);
    }
    return username;
  }

  async function callsOfOpening(username: string, path: string, firstFrames: number): Promise<string[]> {
    node.reset();
    const socket = await connect(username, path);
    await socket.receiveMany(firstFrames);
    return calls();
  }

  test.each([
    ["/ws/notifications/", 1],
    ["/ws/notifications/FRIEND/", 1],
    ["/ws/FRIEND/", 2],
  ])("opening %s asks storage as often with 1 conversation as with 30", async (path, firstFrames) => {
    const few = await acquainted(`few-${newId()}`, 1);
    const many = await acquainted(`many-${newId()}`, 30);
    const ofFew = await callsOfOpening(few, path.replace("FRIEND", `${few}-friend-0`), firstFrames);
    const ofMany = await callsOfOpening(many, path.replace("FRIEND", `${many}-friend-0`), firstFrames);
    expect(ofMany).toEqual(ofFew);
    expect(ofMany.length).toBeLessThanOrEqual(7);
  });

  test("a direct message is one batch and one publish, with both badges open", async () => {
    await known("alice");
    await known("bob");
    const badges = [await connect("alice", "/ws/notifications/"), await connect("bob", "/ws/notifications/")];
    for (const badge of badges) await badge.receive();
    const ofAlice = await connect("alice", "/ws/bob/");
    await ofAlice.receiveMany(2);
    const ofBob = await connect("bob", "/ws/alice/");
    await ofBob.receiveMany(2);
    await ofAlice.receive();
    node.reset();
    ofAlice.send({ type: "chat_message", message: "hello" });
    await ofBob.receive();
    expect(await badges[1]?.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
    expect(calls()).toEqual(["send"]);
    expect(node.layer.published).toHaveLength(1);
  });
});
