/** What the operator's routes cost, whoever asks. */
import { setImmediate as turn } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { Gauge, Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Arrivals } from "../../server/arrivals.ts";
import type { HttpServices } from "../../server/http/services.ts";
import { ask, type LogLine, openStorage, type Storage, startServer } from "./server.ts";

let storage: Storage;
const servers: FastifyInstance[] = [];
/** Of the clock, which stands still unless a test moves it. */
let now = 0;

beforeAll(async () => {
  storage = await openStorage();
});
beforeEach(() => {
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => storage.close());

async function serverWith(changes: Partial<HttpServices> = {}, log: LogLine[] = []): Promise<FastifyInstance> {
  const server = await startServer({ ...storage.services, ...changes }, log);
  servers.push(server);
  return server;
}

const statusOf = async (server: FastifyInstance, url: string, from: object = {}) =>
  (await ask(server, { url, ...from })).status;

describe("GET /readyz", () => {
  /** A part that fails while `reason` is set. */
  function part() {
    const state = { reason: null as string | null, pings: 0 };
    const ping = async () => {
      state.pings += 1;
      if (state.reason !== null) throw new Error("the pool failed", { cause: new Error(state.reason) });
    };
    return { state, ping };
  }

  it("asks its parts once a second at most, whoever asks it", async () => {
    const [database, layer] = [part(), part()];
    const server = await serverWith({ storage: database, channelLayer: layer });
    await Promise.all(Array.from({ length: 20 }, () => statusOf(server, "/readyz")));
    now += 999;
    await statusOf(server, "/readyz");
    expect([database.state.pings, layer.state.pings]).toEqual([1, 1]);
    now += 1;
    await statusOf(server, "/readyz");
    expect([database.state.pings, layer.state.pings]).toEqual([2, 2]);
  });

  it("the log says once which part it is and why, without a stack, and once that it is back", async () => {
    const log: LogLine[] = [];
    const [database, layer] = [part(), part()];
    const server = await serverWith({ storage: database, channelLayer: layer }, log);
    layer.state.reason = "READONLY You can't write against a read only replica.";
    const statuses: number[] = [];
    for (let second = 0; second < 5; second += 1) {
      statuses.push(await statusOf(server, "/readyz"));
      now += 1_000;
    }
    expect(statuses).toEqual(Array(5).fill(503));
    await turn();
    expect(log).toEqual([
      expect.objectContaining({
        part: "the channel layer",
        reason: "the pool failed: READONLY You can't write against a read only replica.",
      }),
    ]);
    expect(JSON.stringify(log)).not.toContain("stack");
    layer.state.reason = null;
    expect(await statusOf(server, "/readyz")).toBe(200);
    layer.state.reason = "gone again";
    now += 1_000;
    expect(await statusOf(server, "/readyz")).toBe(503);
    expect(log.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("READONLY"),
      "the pool failed: gone again",
    ]);
  });
});

describe("GET /metrics", () => {
  it("are read once a second at most", async () => {
    const metrics = new Registry();
    let reads = 0;
    new Gauge({
      name: "parley_test",
      help: "of this test",
      registers: [metrics],
      collect() {
        reads += 1;
        this.set(reads);
      },
    });
    const server = await serverWith({ metrics });
    await Promise.all(Array.from({ length: 20 }, () => statusOf(server, "/metrics")));
    expect(reads).toBe(1);
    now += 1_000;
    expect((await ask(server, { url: "/metrics" })).text).toContain("parley_test 2");
  });
});

describe("what an operator asks", () => {
  const PATHS = ["/healthz", "/readyz", "/metrics", "/docs/openapi.json"];
  const arrivals = () => new Arrivals({ connectRate: 1, connectBurst: 1, httpRate: 1, httpBurst: 2 });

  it.each(PATHS)("[LIMIT-9] counts from everywhere but this machine: %s", async (url) => {
    const server = await serverWith({ arrivals: arrivals() });
    const ask3 = (from: object) => Promise.all([1, 2, 3].map(() => statusOf(server, url, from)));
    expect((await ask3({ remoteAddress: "192.0.2.1" })).toSorted()).toEqual([200, 200, 429]);
    expect((await ask3({ remoteAddress: "127.0.0.1", headers: { via: "1.1 proxy" } })).toSorted()).toEqual([
      200, 200, 429,
    ]);
    expect(await ask3({ remoteAddress: "127.0.0.2" })).toEqual([200, 200, 200]);
  });

  it.each(PATHS)("is not read by a page whose name was turned to this machine: %s", async (url) => {
    const server = await serverWith();
    const headers = { host: "evil.example:8000" };
    expect(await statusOf(server, url, { headers })).toBe(403);
    expect(await statusOf(server, url, { headers: { host: "[::1]:8000" } })).toBe(200);
    expect(await statusOf(server, url, { headers, remoteAddress: "192.0.2.1" })).toBe(200);
    const withKey = await serverWith({ developmentSecret: null });
    expect(await statusOf(withKey, url, { headers })).toBe(200);
  });

  it.each(PATHS)("is not here where it is elsewhere: %s", async (url) => {
    expect(await statusOf(await serverWith({ hasOperationsElsewhere: true }), url)).toBe(404);
  });
});
