/** What a client is told when the server cannot: the failures are made, so one foundation shows them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Database, openPglite } from "../../db/client.ts";
import { type ChannelLayer, LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { Stack } from "../support/stack.ts";
import { enterPair, openRoom, people, receiveSame, say } from "./sockets.ts";

type Failure = "none" | "storage is away" | "storage is at fault" | "layer is away" | "layer is at fault";

/** The SQLSTATE, so that no driver's own words for it matter. */
const CONNECTION_FAILURE = "08006";

let failure: Failure = "none";
let stack: Stack;

function failOnStorage(): void {
  if (failure === "storage is away") throw Object.assign(new Error("connection lost"), { code: CONNECTION_FAILURE });
  if (failure === "storage is at fault") throw new Error("a statement that is wrong, and secret");
}

function failing(database: Database): Database {
  const { writer } = database;
  return {
    ...database,
    close: async () => {},
    writer: {
      query: async (statement, params) => {
        failOnStorage();
        return writer.query(statement, params);
      },
      transaction: async (work) => {
        failOnStorage();
        return writer.transaction(work);
      },
    },
  };
}

/** Its subscriptions fail, which every socket that is opened needs. */
function failingLayer(layer: ChannelLayer): ChannelLayer {
  return new Proxy(layer, {
    get(target, property) {
      if (property === "subscribe" && failure === "layer is away") {
        return () => Promise.reject(new LayerUnavailable("the layer is away"));
      }
      if (property === "subscribe" && failure === "layer is at fault")
        return () => Promise.reject(new Error("a fault"));
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("what a client is told when the server cannot", () => {
  beforeAll(async () => {
    const database = await openPglite(null);
    const broker = new MemoryBroker();
    stack = new Stack({
      openDatabase: async () => failing(database),
      joinLayer: async () => failingLayer(broker.join()),
      clear: () => database.close(),
    });
    await stack.startNode();
    await stack.startNode();
  });
  afterEach(async () => {
    failure = "none";
    await stack.disconnectAll();
  });
  afterAll(() => stack?.stop());

  test("[ERROR-7] [CLOSE-2] [RETRY-4] [ACK-2] storage is away: unavailable, the socket stays, the same client id later", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack, alice, bob);
    const { id } = await say(ofAlice, "one");
    await ofBob.receive();
    failure = "storage is away";
    for (const frame of [
      { type: "chat_message", message: "two", client_id: "c2" },
      { type: "edit_message", id, message: "uno", client_id: "e" },
      { type: "delete_message", id, client_id: "d" },
      { type: "pin_message", id, pinned: true, client_id: "p" },
      { type: "read_messages", client_id: "r" },
      { type: "read_messages", id, client_id: "u" },
    ]) {
      ofAlice.send(frame);
      const { type: event, client_id } = frame;
      expect(await ofAlice.receive()).toMatchObject({ type: "error", code: "unavailable", event, client_id });
    }
    ofAlice.send({ type: "read_messages" });
    const unnamed = await ofAlice.receive();
    expect(unnamed).toMatchObject({ type: "error", code: "unavailable", event: "read_messages" });
    expect(unnamed).not.toHaveProperty("client_id");
    failure = "none";
    const two = await say(ofAlice, "two", { client_id: "c2" });
    expect(two).toMatchObject({ seq: 2 });
    expect(await ofBob.receive()).toEqual({ ...two, room: alice });
  });

  test("[ERROR-8] [ACK-2] a fault of the server's: internal, and no more is said about it", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack, alice, bob);
    failure = "storage is at fault";
    ofAlice.send({ type: "chat_message", message: "one", client_id: "c1" });
    expect(await ofAlice.receive()).toEqual({
      type: "error",
      code: "internal",
      message: "internal error",
      event: "chat_message",
      client_id: "c1",
    });
    for (const frame of [
      { type: "edit_message", id: "any", message: "uno", client_id: "e" },
      { type: "delete_message", id: "any", client_id: "d" },
      { type: "pin_message", id: "any", pinned: true, client_id: "p" },
      { type: "read_messages", client_id: "r" },
    ]) {
      ofAlice.send(frame);
      const { type: event, client_id } = frame;
      expect(await ofAlice.receive()).toMatchObject({ type: "error", code: "internal", event, client_id });
    }
    failure = "none";
    expect(await say(ofAlice, "one", { client_id: "c1" })).toMatchObject({ seq: 1 });
  });

  test("[CLOSE-2] the layer is away while a socket is being opened: 1013; those that are open go on", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice, ofBob] = await enterPair(stack, alice, bob);
    await stack.introduce(carol);
    failure = "layer is away";
    for (const path of [`/ws/${carol}/`, "/ws/notifications/", `/ws/notifications/${carol}/`]) {
      const socket = await stack.connect(alice, path);
      expect(await socket.closed).toMatchObject({ code: 1013 });
    }
    ofAlice.send({ type: "edit_message", id: (await say(ofAlice, "one")).id, message: "uno" });
    expect(await ofBob.receive()).toMatchObject({ message: "one" });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "message_edited", message: "uno" });
  });

  test("[CLOSE-3] a fault of the server's while a socket is being opened: 1011", async () => {
    const [alice] = people("alice");
    failure = "layer is at fault";
    const socket = await stack.connect(alice, "/ws/notifications/");
    expect(await socket.closed).toEqual({ code: 1011, reason: "internal error" });
  });

  test("[CLOSE-1] a node that stops: 1012", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack.introduce(alice, bob);
    const node = await stack.startNode();
    const leaving = await openRoom(stack, bob, alice, { node: stack.nodes.indexOf(node) });
    await leaving.receiveMany(2);
    const staying = await openRoom(stack, alice, bob);
    await staying.receiveMany(2);
    stack.nodes.splice(stack.nodes.indexOf(node), 1);
    await node.server.close();
    expect(await leaving.closed).toEqual({ code: 1012, reason: "the server is restarting" });
    expect(await staying.receive()).toEqual({ type: "user_leave", user: bob });
  });
});
