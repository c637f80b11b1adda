/**
 * Faults of what the nodes stand on. All but the cut of PostgreSQL's connections need a server of the cluster's own
 * (`postgres: "own"`, `redis: "own"`) and throw where there is none, since nobody else's may be broken.
 */
import { spawnSync } from "node:child_process";
import { Redis } from "ioredis";
import { Client } from "pg";
import { expect, onTestFinished, vi } from "vitest";
import { leaveWill } from "../support/last-will.ts";
import { type Cluster, DEADLINE } from "./cluster.ts";

/** The nodes' connections, as PostgreSQL sees them. */
const OF_NODES = "pg_stat_activity where datname = current_database() and application_name = 'parley'";

/** Ends the connections of all nodes, from the server's side. Resolves with how many there were. */
export async function cutPostgresConnections(cluster: Cluster): Promise<number> {
  const ended = await cluster.query(`select pg_terminate_backend(pid) from ${OF_NODES}`);
  return ended.length;
}

/**
 * Its connections stay open, and nobody is answered, until the function it returns is called. To be called inside a test,
 * at whose end it goes on in any case.
 */
export function pausePostgres(cluster: Cluster): () => void {
  const { pid } = cluster.postgres;
  // It first: while it stands still, it has no more children.
  process.kill(pid, "SIGSTOP");
  const children = childrenOf(pid);
  for (const child of children) process.kill(child, "SIGSTOP");
  const stopped = [pid, ...children];
  const will = leaveWill(["sh", "-c", 'kill -CONT "$@" || true', "sh", ...stopped.map(String)]);
  const resume = () => {
    for (const one of stopped.splice(0)) process.kill(one, "SIGCONT");
    void will.execute();
  };
  // Before the server is ended: those that stand still would stay behind.
  onTestFinished(resume);
  return resume;
}

/** As after a crash; resolves when it answers again. */
export async function restartPostgres(cluster: Cluster): Promise<void> {
  await cluster.postgres.kill();
  await cluster.postgres.restart();
}

/**
 * As after a crash, at the moment when every node's writer has stored messages and waits for their commit, or waits for one
 * that does: none of them is there afterwards. Resolves when it answers again.
 */
export async function crashInCommit(cluster: Cluster): Promise<void> {
  const client = await connect(cluster);
  try {
    await client.query(`
      create or replace function wait_in_commit() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$;
      drop trigger if exists wait_in_commit on messages;
      create constraint trigger wait_in_commit after insert on messages deferrable initially deferred
        for each row execute function wait_in_commit();
      select pg_advisory_lock(1)`);
    await vi.waitFor(async () => {
      expect(await count(client, `${OF_NODES} and wait_event = 'advisory'`)).toBeGreaterThan(0);
      expect(await count(client, `${OF_NODES} and wait_event_type = 'Lock'`)).toBe(cluster.nodes.length);
    }, DEADLINE);
    await restartPostgres(cluster);
  } finally {
    await client.end();
  }
}

/**
 * What every node's writer is committing is stored, and the answer never arrives: it is kept from being committed until no
 * answer can pass, and then the connections are cut. They can be opened again at once. Resolves with how many messages
 * were stored by it; none, where the nodes were all storing something else. Needs `proxied: ["postgres"]`.
 */
export async function loseCommitAnswers(cluster: Cluster): Promise<number> {
  const proxies = cluster.nodes.map((node) => node.proxy("postgres"));
  const client = await connect(cluster);
  try {
    await client.query("begin");
    await client.query("select id from conversations for update");
    const before = await count(client, "messages");
    await vi.waitFor(async () => {
      // Within a transaction it would be what it was at the first look.
      await client.query("select pg_stat_clear_snapshot()");
      expect(await count(client, `${OF_NODES} and wait_event_type = 'Lock'`)).toBe(proxies.length);
    }, DEADLINE);
    for (const proxy of proxies) proxy.hold();
    await client.query("commit");
    await vi.waitFor(async () => {
      expect(await count(client, `${OF_NODES} and state = 'active'`)).toBe(0);
    }, DEADLINE);
    const after = await count(client, "messages");
    for (const proxy of proxies) proxy.cut();
    return after - before;
  } finally {
    for (const proxy of proxies) proxy.restore();
    await client.end();
  }
}

/** Resolves with how many subscribers there were. */
export async function cutRedisSubscribers(cluster: Cluster): Promise<number> {
  const redis = new Redis(cluster.redis.url);
  try {
    return (await redis.call("CLIENT", "KILL", "TYPE", "pubsub")) as number;
  } finally {
    redis.disconnect();
  }
}

async function connect({ databaseUrl }: Cluster): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  // Unheard, a lost connection would end the process; the statement that needs it rejects.
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function count(client: Client, from: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::integer as count from ${from}`);
  return rows[0]?.count ?? 0;
}

function childrenOf(parent: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "ppid=", "-o", "pid="], { encoding: "utf8" });
  const processes = stdout.trim().split("\n");
  return processes.flatMap((line) => {
    const [ppid, pid] = line.trim().split(/\s+/).map(Number);
    return ppid === parent && pid !== undefined ? [pid] : [];
  });
}
