/** A node whose costs are counted, and whose commits wait for a test that wants many things in one. */
import { expect, vi } from "vitest";
import { createApp, type Server, startServer } from "../../server/app.ts";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import type { Profile } from "../../server/core/model.ts";
import type { Store } from "../../server/core/store.ts";
import { Communicator } from "../support/communicator.ts";
import { interceptedStore, testConfig, tokenFor } from "../support/stack.ts";
import { introduce } from "../support/storage.ts";
import { type WatchedLayer, watchLayer } from "./watched-layer.ts";

/** One frame of a client. */
export type Sent = readonly [socket: Communicator, frame: object];

/** A commit that the node has begun and that waits for the test. */
export interface HeldCommit {
  readonly kind: "send" | "amend";
  /** Messages or amendments in it. */
  readonly size: number;
  proceed(): void;
}

/** Of the node's connections, since its start. */
export interface SocketCounters {
  readonly framesReceived: number;
  readonly framesSent: number;
  readonly socketWrites: number;
}

/** Ms; it ends what hangs, it measures nothing. */
const DEADLINE = 10_000;

export class CountedNode {
  /** Of the store, in order; a held commit is a call from the moment it proceeds. */
  readonly calls: (keyof Store)[] = [];
  readonly layer: WatchedLayer;
  readonly #store: Store;
  readonly #communicators: Communicator[] = [];
  readonly #awaited: ((commit: HeldCommit) => void)[] = [];
  readonly #held = new Set<HeldCommit>();
  #server: Server | null = null;
  #stranger: Communicator | null = null;

  private constructor(store: Store, layer: ChannelLayer) {
    this.#store = store;
    this.layer = watchLayer(layer);
  }

  /**
   * The store stays open when the node closes; the layer is the node's own. Nothing is compared with storage by a timer:
   * every call that is counted has a cause in the test.
   */
  static async start(store: Store, layer: ChannelLayer, settings: Record<string, string> = {}): Promise<CountedNode> {
    const node = new CountedNode(store, layer);
    const config = testConfig(settings);
    const app = createApp(config);
    const describe = { storage: "a test's storage", layer: "a test's layer" };
    const foundations = { store: node.#countedStore(), layer: node.layer.layer, isSwept: false, describe };
    node.#server = await startServer(config, foundations, app);
    await app.listen({ host: "127.0.0.1", port: 0 });
    return node;
  }

  async connect(user: Pick<Profile, "id">, path: string): Promise<Communicator> {
    const url = `${this.#address.replace("http", "ws")}${path}`;
    const communicator = await Communicator.connect(url, await tokenFor(user.id));
    this.#communicators.push(communicator);
    return communicator;
  }

  /**
   * Has the node put all this into one batch: it arrives while the commit of a stranger's message, in a conversation of
   * their own, is held. Resolves with the batch's commit, held too, when the stranger has their echo; what was counted
   * until then is forgotten.
   */
  async together(sent: readonly Sent[]): Promise<HeldCommit> {
    const stranger = await this.#enterStranger();
    const [first, second] = [this.#nextCommit(), this.#nextCommit()];
    stranger.send({ type: "chat_message", message: "first" });
    const commit = await first;
    const before = this.counters();
    for (const [socket, frame] of sent) socket.send(frame);
    // A frame that was received has been handed to the writer: nothing comes between the two.
    await vi.waitFor(() => expect(this.counters().framesReceived - before.framesReceived).toBe(sent.length), {
      timeout: DEADLINE,
      interval: 10,
    });
    commit.proceed();
    const batch = await second;
    expect(await stranger.receive()).toMatchObject({ type: "chat_message", message: "first" });
    await this.layer.layer.ping();
    this.reset();
    return batch;
  }

  /** Forgets the calls, and what went through the layer. */
  reset(): void {
    this.calls.length = 0;
    this.layer.published.length = 0;
    this.layer.arrived.length = 0;
  }

  /** As they are now: what an operator reads may be a second old. */
  counters(): SocketCounters {
    const { framesReceived, framesSent, socketWrites } = this.#started.counters;
    return { framesReceived, framesSent, socketWrites };
  }

  /** Commits that a failed test left held proceed. */
  async disconnectAll(): Promise<void> {
    this.#stranger = null;
    this.#awaited.length = 0;
    for (const commit of this.#held) commit.proceed();
    this.#held.clear();
    await Promise.all(this.#communicators.splice(0).map((communicator) => communicator.close()));
  }

  async close(): Promise<void> {
    await this.disconnectAll();
    await this.#server?.close();
  }

  get #started(): Server {
    if (this.#server === null) throw new Error("the node was not started");
    return this.#server;
  }

  get #address(): string {
    return this.#started.address;
  }

  #countedStore(): Store {
    const store: Store = {
      ...this.#store,
      send: async (messages) => {
        await this.#wait("send", messages.length);
        return this.#store.send(messages);
      },
      amend: async (amendments, judge) => {
        await this.#wait("amend", amendments.length);
        return this.#store.amend(amendments, judge);
      },
      close: async () => {},
    };
    return interceptedStore(store, (method) => {
      if (method !== "send" && method !== "amend") this.calls.push(method);
    });
  }

  async #wait(kind: HeldCommit["kind"], size: number): Promise<void> {
    const take = this.#awaited.shift();
    if (take !== undefined) {
      await new Promise<void>((proceed) => {
        const commit = { kind, size, proceed };
        this.#held.add(commit);
        take(commit);
      });
    }
    this.calls.push(kind);
  }

  #nextCommit(): Promise<HeldCommit> {
    return new Promise((resolve) => this.#awaited.push(resolve));
  }

  async #enterStranger(): Promise<Communicator> {
    if (this.#stranger !== null) return this.#stranger;
    const [profile] = await introduce(this.#store, "stranger");
    const socket = await this.connect(profile, `/ws/${profile.username}/`);
    await socket.receiveType("user_join");
    this.#stranger = socket;
    return socket;
  }
}
