/**
 * Whole servers for tests, on both foundations: `embedded` (PGlite and the in-process layer, always there) and `services`
 * (PostgreSQL and Redis, where they can be had). Several nodes share a database and a layer, as in production.
 */

import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { type Database, openPglite, openPostgres } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { createApp, type Server, startServer } from "../../server/app.ts";
import type { ChannelLayer } from "../../server/channel-layer/layer.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { connectRedisLayer } from "../../server/channel-layer/redis.ts";
import { type Config, loadConfig } from "../../server/config.ts";
import type { Store } from "../../server/core/store.ts";
import { Communicator } from "./communicator.ts";
import { freshDatabase, postgresUrl, redisUrl, servicesMissing } from "./services.ts";
import { UNLIMITED } from "./unlimited.ts";

export const SECRET = "a secret for tests, of more than 32 bytes";

export type Foundation = "embedded" | "services";

export interface TestNode {
  readonly server: Server;
  /** `ws://host:port` and `http://host:port`. */
  readonly sockets: string;
  readonly http: string;
}

/** What all nodes of a suite share. */
interface Ground {
  openDatabase(): Promise<Database>;
  joinLayer(): Promise<ChannelLayer>;
  clear(): Promise<void>;
}

export class Stack {
  readonly nodes: TestNode[] = [];
  readonly #ground: Ground;
  readonly #communicators: Communicator[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Starts a node with these settings beside the defaults of tests. */
  async startNode(settings: Record<string, string> = {}): Promise<TestNode> {
    const store = createStore(await this.#ground.openDatabase(), newId);
    const node = await startNodeOn(store, await this.#ground.joinLayer(), settings);
    this.nodes.push(node);
    return node;
  }

  /** The database of all nodes, for a test that looks at what was stored; whoever opens it closes it. */
  openDatabase(): Promise<Database> {
    return this.#ground.openDatabase();
  }

  /** A socket of `username`, whose token says that this is also their id. Closed when the test ends. */
  async connect(username: string, path: string, { node = 0 }: { node?: number } = {}): Promise<Communicator> {
    const at = this.nodes[node];
    if (at === undefined) throw new Error(`node ${node} was not started`);
    const communicator = await Communicator.connect(`${at.sockets}${path}`, await tokenFor(username));
    this.#communicators.push(communicator);
    return communicator;
  }

  /** An HTTP request of `username`, JSON both ways. */
  async request(
    username: string | null,
    method: string,
    path: string,
    body?: unknown,
    { node = 0 }: { node?: number } = {},
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at answers as a client in plain JavaScript does
  ): Promise<{ status: number; body: any }> {
    const response = await fetch(`${this.nodes[node]?.http}${path}`, {
      method,
      headers: {
        ...(username !== null && { authorization: `Bearer ${await tokenFor(username)}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** Makes users known, as their first connection would. */
  async introduce(...usernames: string[]): Promise<void> {
    for (const username of usernames) await this.request(username, "GET", "/api/me");
  }

  async disconnectAll(): Promise<void> {
    await Promise.all(this.#communicators.splice(0).map((communicator) => communicator.close()));
  }

  async stop(): Promise<void> {
    await this.disconnectAll();
    for (const node of this.nodes.splice(0)) await node.server.close();
    await this.#ground.clear();
  }
}

/** A node on a store and a layer that the test brings, watched or faulty perhaps. */
export async function startNodeOn(
  store: Store,
  layer: ChannelLayer,
  settings: Record<string, string> = {},
): Promise<TestNode> {
  const config = testConfig(settings);
  const app = createApp(config);
  const describe = { storage: "a test's storage", layer: "a test's layer" };
  const server = await startServer(config, { store, layer, isSwept: true, describe }, app);
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { server, http: server.address, sockets: server.address.replace("http", "ws") };
}

/** The store, with something done before each call of it. */
export function interceptedStore(store: Store, before: (method: keyof Store) => void | Promise<void>): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        await before(name as keyof Store);
        return method.apply(target, args);
      };
    },
  });
}

export function tokenFor(
  username: string,
  claims: Record<string, unknown> = {},
  expiresInSeconds = 3600,
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(username)
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
    .sign(new TextEncoder().encode(SECRET));
}

export function testConfig(settings: Record<string, string> = {}): Config {
  return loadConfig({ NODE_ENV: "test", JWT_SECRET: SECRET, LOG_LEVEL: "silent", ...UNLIMITED, ...settings });
}

/**
 * Runs the suite on both foundations. `nodes`: how many are started before it, with `settings`. Each test gets the same
 * stack; its sockets are closed after it.
 */
export function describeOnBoth(
  name: string,
  { nodes = 1, settings = {} }: { nodes?: number; settings?: Record<string, string> },
  suite: (stack: () => Stack, foundation: Foundation) => void,
): void {
  for (const foundation of ["embedded", "services"] as const) {
    const isMissing = foundation === "services" && (postgresUrl === undefined || redisUrl === undefined);
    describe.skipIf(isMissing)(`${name} (${foundation}${isMissing ? `: ${servicesMissing}` : ""})`, () => {
      let stack: Stack;
      beforeAll(async () => {
        stack = new Stack(foundation === "embedded" ? await embedded() : await services());
        for (let started = 0; started < nodes; started += 1) await stack.startNode(settings);
      });
      afterEach(() => stack.disconnectAll());
      afterAll(() => stack?.stop());
      suite(() => stack, foundation);
    });
  }
}

async function embedded(): Promise<Ground> {
  const database = await openPglite(null);
  const broker = new MemoryBroker();
  return {
    // Nodes in one process share the one PGlite; it is closed with the ground, not with a node.
    openDatabase: async () => ({ ...database, close: async () => {} }),
    joinLayer: async () => broker.join(),
    clear: () => database.close(),
  };
}

async function services(): Promise<Ground> {
  const database = await freshDatabase();
  const prefix = `parley_test_${randomUUID()}:`;
  const log = createApp(testConfig()).log;
  return {
    openDatabase: () => openPostgres({ url: database.url, searchPath: null }),
    joinLayer: () => connectRedisLayer({ url: redisUrl ?? "", prefix, log }),
    clear: () => database.drop(),
  };
}
