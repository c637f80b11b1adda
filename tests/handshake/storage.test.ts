/** What a handshake meets when storage is away, or slower than the client's patience. */
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { StorageUnavailable } from "../../server/core/errors.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { RawClient } from "./raw-client.ts";

/** Called before every method of the store. */
type Interception = (method: string) => Promise<void>;

const letThrough: Interception = async () => {};
const away: Interception = () => Promise.reject(new StorageUnavailable(new Error("the cable was cut")));

describe("the handshake", () => {
  let interception = letThrough;
  let node: TestNode;

  beforeAll(async () => {
    const store = createStore(await openPglite(null), newId);
    node = await startNodeOn(
      interceptedStore(store, (method) => interception(method)),
      new MemoryBroker().join(),
    );
  });

  afterEach(() => {
    interception = letThrough;
  });

  afterAll(() => node?.server.close());

  it("is refused with 503 while storage is away, and accepted when it is back", async () => {
    interception = away;
    const token = await tokenFor("alice");
    await expect(Communicator.connect(`${node.sockets}/ws/alice/`, token)).rejects.toMatchObject({
      status: 503,
      body: { error: { code: "unavailable" } },
    });
    interception = letThrough;
    const alice = await Communicator.connect(`${node.sockets}/ws/alice/`, token);
    expect(await alice.receive()).toEqual({ type: "online_user_list", users: [] });
    await alice.close();
  });

  it("was accepted, and storage went away before the room was open: 1013", async () => {
    interception = (method) => (method === "openDirect" ? away(method) : Promise.resolve());
    const bob = await Communicator.connect(`${node.sockets}/ws/bob/`, await tokenFor("bob"));
    expect(await bob.closed).toMatchObject({ code: 1013 });
  });

  it("is forgotten when the client is gone before it was answered", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      interception = (method) => {
        if (method !== "user") return Promise.resolve();
        resolve();
        return held;
      };
    });
    const uncaught = vi.fn();
    process.on("uncaughtException", uncaught);
    const client = await RawClient.connect(node);
    client.requestUpgrade("/ws/carol/", { authorization: `Bearer ${await tokenFor("carol")}` });
    await asked;
    client.reset();
    await vi.waitFor(async () => expect(await openConnections(node)).toBe(0), 15_000);
    interception = letThrough;
    release();

    const carol = await Communicator.connect(`${node.sockets}/ws/carol/`, await tokenFor("carol"));
    expect(await carol.receive()).toEqual({ type: "online_user_list", users: [] });
    await vi.waitFor(() => expect(node.server.app.websocketServer.clients.size).toBe(1));
    expect(uncaught).not.toHaveBeenCalled();
    process.off("uncaughtException", uncaught);
    await carol.close();
  });
});

function openConnections({ server }: TestNode): Promise<number> {
  return new Promise((resolve, reject) => {
    server.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
