/** What comes, and what does not, while a commit is on its way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { openEmbedded, type Storage } from "../support/storage.ts";
import { say } from "./sockets.ts";

describe("while a commit is on its way", () => {
  let storage: Storage;
  let node: TestNode;
  let socket: Communicator;
  /** What the next commits wait for. */
  let held = Promise.resolve();
  let proceed = () => {};

  beforeAll(async () => {
    storage = await openEmbedded();
    const store = interceptedStore(storage.store, (method) =>
      method === "amend" || method === "send" ? held : undefined,
    );
    node = await startNodeOn({ ...store, close: async () => {} }, new MemoryBroker().join());
  });
  afterEach(() => {
    proceed();
    return socket?.close();
  });
  afterAll(async () => {
    await node?.server.close();
    await storage?.close();
  });

  test("[ACK-1] [PING-2] a ping is answered, and nothing is acknowledged before it is committed", async () => {
    socket = await Communicator.connect(`${node.sockets}/ws/alice/`, await tokenFor("alice"));
    await socket.receiveMany(2);
    const { id } = await say(socket, "hello");
    held = new Promise((resolve) => {
      proceed = resolve;
    });
    socket.send({ type: "edit_message", id, message: "hi", client_id: "e" });
    socket.send({ type: "chat_message", message: "next" });
    socket.send({ type: "ping" });
    expect(await socket.receive()).toEqual({ type: "pong" });
    proceed();
    const types = (await socket.receiveMany(3)).map(({ type }) => type);
    expect(types.toSorted()).toEqual(["ack", "chat_message", "message_edited"]);
    await socket.receiveNothing();
  });
});
