/**
 * How to add a row to the fault suite.
 *
 * A row is one test: a cluster of real processes, steady traffic on it, a fault, and a judgement by what is in the database
 * and what every socket heard.
 *
 *     describeFaults("what is broken", () => {
 *       test("the promise, as a sentence", { timeout: DEADLINE }, async () => {
 *         const cluster = await startCluster({ nodes: 2, postgres: "own" });
 *         const traffic = await startTraffic(cluster, { lines: "library" });
 *         await traffic.flows(50);                       // it runs
 *         await cluster.postgres.kill();                 // the fault
 *         await cluster.postgres.restart();
 *         const mendedAt = performance.now();
 *         await traffic.flows(50);                       // it runs again
 *         await traffic.stop();
 *         const verdict = await judge(cluster, traffic, { deadline: 15_000, mendedAt });
 *         report("PostgreSQL killed", traffic, verdict);
 *         expect(verdict.faults).toEqual(noFaults);
 *       });
 *     });
 *
 * - **Cluster** (this file). `postgres: "own"` and `redis: "own"` are servers that the row may kill, pause and restart;
 *   "shared" is a fresh database, or a prefix, on the server of the test run. `proxied` puts a `TcpProxy` (cut, hold, restore)
 *   between each node and that service: `node.proxy("redis")`. A node is ended with `node.end(signal)`, started again with
 *   `node.start()`, signalled with `node.signal("SIGSTOP")`; `cluster.addNode()` adds one. `cluster.entrance` is a load balancer
 *   that leads each new connection to a running node, for clients that come back. `cluster.said(text)` looks into the logs.
 *   All of it is removed when the test ends, however it ends, so call it inside a test.
 * - **Traffic** (`traffic.ts`). `lines: "raw"`: bare sockets straight to their nodes, where the promise is that they stay open and
 *   hear every change once. `lines: "library"`: the client library through the entrance, where nodes die. A message that is
 *   refused as `unavailable`, or not answered, is sent again under its client id, as a client does.
 *   `flows(n)` waits for a condition: n more acknowledgements; `converse(n)`: n messages, each sent when the one before was acknowledged.
 * - **Judgement** (`judge.ts`). Counts of what is wrong, to be compared with `noFaults`. It looks until all is right or the deadline
 *   is over, counted from `mendedAt`, when the fault ended. What it counts is said in `faults.ts`. Where a node was dead or stopped for
 *   longer than its lease, its people leave: `leaves: "permitted"`. `report` prints one line for the table of results.
 *
 * A row of seconds is `*.test.ts`; one that takes longer is `*.long.test.ts`, which runs with `npm run test:faults` alone. A
 * pause is part of a fault ("away for 5 s"), never a wait for something to be done.
 */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { Client, type QueryResultRow } from "pg";
import { describe, onTestFinished } from "vitest";
import { startTcpProxy, type TcpProxy } from "../channel-layer/tcp-proxy.ts";
import { type PostgresServer, postgresBinaries, startPostgres } from "../support/postgres-server.ts";
import { type RedisServer, redisServerBinary, startRedisServer } from "../support/redis-server.ts";
import { freshDatabase, postgresUrl, redisUrl, servicesMissing } from "../support/services.ts";
import { ClusterNode, type Service } from "./cluster-node.ts";

export interface ClusterOptions {
  readonly nodes: number;
  /** For every node, beside limits that hold back nobody. */
  readonly settings?: Readonly<Record<string, string>>;
  /** "shared" by default. */
  readonly postgres?: "own" | "shared";
  /** "own" by default. */
  readonly redis?: "own" | "shared";
  /** Between each node and which services there is a proxy; none by default. */
  readonly proxied?: readonly Service[];
  /** Modules that the process of this node loads first; none by default. */
  readonly preloaded?: (index: number) => readonly string[];
  /** Where the node of this index finds Redis, in place of the cluster's own. */
  readonly redisUrlOf?: (index: number, url: string) => Promise<string>;
}

/** Ms for one row; it ends what hangs. */
export const DEADLINE = 180_000;

const generous = { SEND_RATE: "100000", SEND_BURST: "100000", MAX_SOCKETS_PER_USER: "10000", RESUME_LIMIT: "100000" };

export class Cluster {
  readonly nodes: ClusterNode[] = [];
  /** Straight to the database, past any proxy. */
  readonly databaseUrl: string;
  /** Straight to Redis, past any proxy. */
  readonly redisUrl: string;
  /** `http://host:port` of a load balancer: each new connection goes to the next running node. */
  readonly entrance: string;
  readonly #options: ClusterOptions;
  readonly #prefix = `parley_test_${randomUUID()}:`;
  readonly #ownPostgres: PostgresServer | null;
  readonly #ownRedis: RedisServer | null;

  constructor(
    options: ClusterOptions,
    services: { postgres: PostgresServer | string; redis: RedisServer | string; entrancePort: number },
  ) {
    const { postgres, redis, entrancePort } = services;
    this.#options = options;
    this.#ownPostgres = typeof postgres === "string" ? null : postgres;
    this.#ownRedis = typeof redis === "string" ? null : redis;
    this.databaseUrl = typeof postgres === "string" ? postgres : postgres.url;
    this.redisUrl = typeof redis === "string" ? redis : redis.url;
    this.entrance = `http://127.0.0.1:${entrancePort}`;
  }

  /** The cluster's own, to be broken. */
  get postgres(): PostgresServer {
    if (this.#ownPostgres === null) throw new Error('the cluster was not started with postgres: "own"');
    return this.#ownPostgres;
  }

  /** The cluster's own, to be broken. */
  get redis(): RedisServer {
    if (this.#ownRedis === null) throw new Error('the cluster was started with redis: "shared"');
    return this.#ownRedis;
  }

  get runningNodes(): ClusterNode[] {
    return this.nodes.filter((node) => node.isRunning);
  }

  /** The node of that number, counted around. */
  node(index: number): ClusterNode {
    const node = this.nodes[index % this.nodes.length];
    if (node === undefined) throw new Error("the cluster has no nodes");
    return node;
  }

  /** Resolves when it listens. `settings` go before those of the cluster. */
  async addNode(settings: Readonly<Record<string, string>> = {}): Promise<ClusterNode> {
    const { proxied = [], preloaded, redisUrlOf } = this.#options;
    const index = this.nodes.length;
    const urls = {
      postgres: this.databaseUrl,
      redis: redisUrlOf === undefined ? this.redisUrl : await redisUrlOf(index, this.redisUrl),
    };
    const proxies: Partial<Record<Service, TcpProxy>> = {};
    for (const service of proxied) {
      const target = new URL(urls[service]);
      if (target.port === "") target.port = service === "postgres" ? "5432" : "6379";
      const proxy = await startTcpProxy(new URL(target));
      onTestFinished(() => proxy.close());
      proxies[service] = proxy;
      target.host = `127.0.0.1:${proxy.port}`;
      urls[service] = target.href;
    }
    const places = { DATABASE_URL: urls.postgres, REDIS_URL: urls.redis, REDIS_PREFIX: this.#prefix };
    const all = { ...places, ...generous, WEB_PAGE: "off", ...this.#options.settings, ...settings };
    const node = new ClusterNode({ index, settings: all, preloaded: preloaded?.(index) ?? [], proxies });
    this.nodes.push(node);
    await node.start();
    return node;
  }

  /** Whether a node has said this in its log since it was started last. */
  said(text: string): boolean {
    return this.nodes.some((node) => node.said(text));
  }

  /** A connection of the row's own, past any proxy, until the test ends. */
  connectRedis(): Redis {
    const redis = new Redis(this.redisUrl);
    onTestFinished(() => redis.disconnect());
    return redis;
  }

  /** A statement of the judge's own, on a connection of its own. */
  async query<Row extends QueryResultRow>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 5_000 });
    // Unheard, a lost connection would end the process; the statement that needs it rejects.
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(statement, [...values])).rows;
    } finally {
      await client.end();
    }
  }
}

/** Resolves when all nodes listen. To be called inside a test, at whose end everything is removed. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const [postgres, redis] = await Promise.all([openPostgres(options), openRedis(options)]);
  let opened = 0;
  const entrance = await startTcpProxy(() => {
    opened += 1;
    const running = cluster.runningNodes;
    return running.length === 0 ? null : new URL(running[opened % running.length]?.url ?? "");
  });
  onTestFinished(() => entrance.close());
  const cluster = new Cluster(options, { postgres, redis, entrancePort: entrance.port });
  // Before what they stand on, so that nothing is written to a log for nobody.
  onTestFinished(async () => {
    await Promise.all(cluster.nodes.map((node) => node.end("SIGKILL")));
  });
  await Promise.all(Array.from({ length: options.nodes }, () => cluster.addNode()));
  return cluster;
}

async function openPostgres({ postgres = "shared" }: ClusterOptions): Promise<PostgresServer | string> {
  if (postgres === "own") {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    return server;
  }
  const database = await freshDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function openRedis({ redis = "own" }: ClusterOptions): Promise<RedisServer | string> {
  if (redis === "shared") return redisUrl ?? "";
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return server;
}

/** A suite of rows; skipped, with the reason in its title, where a service or a server's binary is missing. */
export function describeFaults(name: string, suite: () => void): void {
  const missing = [
    servicesMissing,
    redisServerBinary() === undefined ? "no redis-server on this machine" : "",
    postgresBinaries() === undefined ? "no PostgreSQL binaries on this machine" : "",
  ].filter((reason) => reason !== "");
  const isMissing = missing.length > 0 || postgresUrl === undefined || redisUrl === undefined;
  if (isMissing && process.env.REQUIRE_SERVICES === "1") {
    throw new Error(`REQUIRE_SERVICES is set: ${missing.join("; ")}`);
  }
  describe.skipIf(isMissing)(isMissing ? `${name} (skipped: ${missing.join("; ")})` : name, suite);
}
