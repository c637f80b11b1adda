/** A Redis of the test's own, from the binary on this machine. It keeps nothing: a restart is a restart with an empty store. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import { freePort, prepareServerProcess } from "./server-process.ts";

export interface RedisServer {
  readonly url: string;
  /** Changes with `restart`. Throws while the server is not running. */
  readonly pid: number;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
  /** As after a crash: connections are cut, all data are gone. */
  kill(): Promise<void>;
  /** Starts again on the same port, empty; a server that is running is killed first. */
  restart(): Promise<void>;
  /** It lives and its connections stay open, but it answers nobody until `resume`. */
  pause(): void;
  resume(): void;
}

/** Rejects with the server's log. */
export async function startRedisServer(): Promise<RedisServer> {
  const binary = redisServerBinary();
  if (binary === undefined) throw new Error("no redis-server on this machine");
  const server = await prepareServerProcess("redis", null);
  try {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const network = ["--port", `${port}`, "--bind", "127.0.0.1"];
    const storage = ["--save", "", "--appendonly", "no", "--dir", server.directory];
    const start = () => server.start(binary, [...network, ...storage], () => answers(url));
    await start();
    return {
      url,
      get pid() {
        return server.pid;
      },
      stop: () => server.remove(),
      kill: () => server.end("SIGKILL"),
      restart: async () => {
        await server.end("SIGKILL");
        await start();
      },
      pause: () => {
        process.kill(server.pid, "SIGSTOP");
      },
      resume: () => {
        process.kill(server.pid, "SIGCONT");
      },
    };
  } catch (error) {
    await server.remove();
    throw error;
  }
}

async function answers(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  // `connect` rejects as well; without a listener ioredis would print each attempt.
  redis.on("error", () => {});
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

export function redisServerBinary(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, "redis-server")).find((path) => existsSync(path));
}
