import type { FastifyInstance } from "fastify";
import { Counter, Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { HttpServices } from "../../server/http/services.ts";
import { ask, type LogLine, openStorage, type Storage, startServer } from "./server.ts";

let storage: Storage;
const servers: FastifyInstance[] = [];

beforeAll(async () => {
  storage = await openStorage();
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => storage.close());

async function serverWith(changes: Partial<HttpServices> = {}, log: LogLine[] = []): Promise<FastifyInstance> {
  const server = await startServer({ ...storage.services, ...changes }, log);
  servers.push(server);
  return server;
}

const refusing = {
  ping: async () => {
    throw new Error("connection refused");
  },
};
/** `asked` resolves at the first ping; the ping never does. */
function hanging() {
  let resolve = () => {};
  const asked = new Promise<void>((done) => {
    resolve = done;
  });
  const ping = () => {
    resolve();
    return new Promise<void>(() => {});
  };
  return { asked, ping };
}

describe("GET /healthz", () => {
  it("answers whatever the rest does", async () => {
    const server = await serverWith({ storage: hanging(), channelLayer: refusing });
    expect(await ask(server, { url: "/healthz" })).toMatchObject({ status: 200, body: { status: "ok" } });
  });
});

describe("GET /readyz", () => {
  it("is ready when both answer", async () => {
    const answer = await ask(await serverWith(), { url: "/readyz" });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: "ok", storage: "ok", channel_layer: "ok" });
  });

  it.each([
    ["storage", { storage: refusing }, { storage: "unavailable", channel_layer: "ok" }],
    ["the channel layer", { channelLayer: refusing }, { storage: "ok", channel_layer: "unavailable" }],
  ])("is not when %s fails, and says why in the log alone", async (_name, changes, parts) => {
    const log: LogLine[] = [];
    const answer = await ask(await serverWith(changes, log), { url: "/readyz" });
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ status: "unavailable", ...parts });
    expect(log).toEqual([expect.objectContaining({ reason: "connection refused" })]);
  });

  it("is not when the server is stopping, however well both are", async () => {
    const answer = await ask(await serverWith({ stopping: AbortSignal.abort() }), { url: "/readyz" });
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ status: "stopping", storage: "ok", channel_layer: "ok" });
  });

  it("asks both at once, and waits 2 s for neither longer", async () => {
    const [database, layer] = [hanging(), hanging()];
    const server = await serverWith({ storage: database, channelLayer: layer });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answered = vi.fn();
    const answer = ask(server, { url: "/readyz" }).finally(answered);
    await Promise.all([database.asked, layer.asked]);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(answered).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({
      status: 503,
      body: { status: "unavailable", storage: "unavailable", channel_layer: "unavailable" },
    });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("GET /metrics", () => {
  it("shows the registry in Prometheus's format", async () => {
    const metrics = new Registry();
    new Counter({ name: "parley_test_total", help: "of this test", registers: [metrics] }).inc(3);
    const { status, text, headers } = await ask(await serverWith({ metrics }), { url: "/metrics" });
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe(metrics.contentType);
    expect(text).toContain("\nparley_test_total 3\n");
  });
});
