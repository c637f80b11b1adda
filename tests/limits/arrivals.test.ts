/** How often a client address may knock. The clock stands still unless a test moves it, so that counts are exact. */
import { setImmediate as turn } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { Arrivals } from "../../server/arrivals.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { errorBody } from "../../server/protocol/errors.ts";
import { TrustedProxies } from "../../server/trusted-proxies.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { ask, type LogLine, openStorage, startServer } from "../http/server.ts";
import { startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";

const LIMITS = { CONNECT_RATE: "1", CONNECT_BURST: "3", HTTP_RATE: "2", HTTP_BURST: "4" };

let now = 0;
let addresses = 0;
/** An address that no other test has come from. */
const newcomer = () => {
  addresses += 1;
  return `198.51.100.${addresses}`;
};

beforeEach(() => {
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function startNode(settings: Record<string, string>): Promise<TestNode> {
  return startNodeOn(createStore(await openPglite(null), newId), new MemoryBroker().join(), settings);
}

interface Knock {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** An attempt to open a socket; what was opened is left again. */
async function knock(node: TestNode, headers: Record<string, string>, path = "/ws/notifications/"): Promise<Knock> {
  const client = await RawClient.connect(node);
  client.requestUpgrade(path, headers);
  const answer = await client.answer();
  if (answer.status === 101) {
    client.reset();
    return { ...answer, body: "" };
  }
  // Without an end of the client's: it is the server that ends what it has refused.
  return { ...answer, body: await client.rest() };
}

async function statuses(count: number, attempt: () => Promise<{ status: number }>): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) found.push((await attempt()).status);
  return found;
}

describe("behind a trusted proxy", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode({ ...LIMITS, TRUST_PROXY: "127.0.0.1, 10.0.0.0/8" });
  });
  afterAll(() => node?.server.close());

  const get = (path: string, address: string) =>
    fetch(`${node.http}${path}`, { headers: { "x-forwarded-for": address } });

  it("[LIMIT-8] upgrade requests beyond the burst are refused with 429 before the token is looked at", async () => {
    const from = { "x-forwarded-for": newcomer() };
    const withToken = { ...from, authorization: `Bearer ${await tokenFor("alice")}` };
    expect((await knock(node, from)).status).toBe(401);
    expect((await knock(node, withToken, "/nowhere")).status).toBe(404);
    expect((await knock(node, withToken)).status).toBe(101);

    now += 400;
    const refused = await knock(node, withToken);
    expect(refused.status).toBe(429);
    const message = "too many connections; try again in 600 ms";
    const { error } = errorBody.parse(JSON.parse(refused.body));
    expect(error).toEqual({ code: "rate_limited", message, retry_after: 600 });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("x-content-type-options")).toBe("nosniff");
    expect((await knock(node, { ...from, authorization: "Bearer rubbish" })).status).toBe(429);

    now += 600;
    expect((await knock(node, withToken)).status).toBe(101);
    expect((await knock(node, withToken)).status).toBe(429);
  });

  it("[LIMIT-9] other requests beyond their burst are refused with 429, and upgrade requests are not among them", async () => {
    const address = newcomer();
    expect(await statuses(3, () => knock(node, { "x-forwarded-for": address }))).toEqual([401, 401, 401]);
    expect((await get("/api/me", address)).status).toBe(401);
    expect((await get("/nowhere", address)).status).toBe(404);
    expect((await get("/ws/bob/", address)).status).toBe(426);
    expect((await get("/docs/openapi.json", address)).status).toBe(200);
    const refused = await get("/api/me", address);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    const message = "too many requests; try again in 500 ms";
    expect(await refused.json()).toEqual({ error: { code: "rate_limited", message, retry_after: 500 } });
  });

  it("[LIMIT-9] whoever watches the server from its own machine is not counted, and everybody else is", async () => {
    for (const path of ["/healthz", "/readyz", "/metrics", "/docs/openapi.json", "/healthz/", "/healthz?x"]) {
      expect(await statuses(5, () => fetch(`${node.http}${path}`)), path).toEqual(Array(5).fill(200));
      const address = newcomer();
      expect(await statuses(5, () => get(path, address)), path).toEqual([200, 200, 200, 200, 429]);
    }
    const address = newcomer();
    expect(await statuses(5, () => get("/nowhere", address))).toEqual([404, 404, 404, 404, 429]);
    expect((await get("/healthz", address)).status).toBe(429);
    // An upgrade request counts whatever its path.
    const knocks = await statuses(4, () => knock(node, { "x-forwarded-for": address }, "/healthz"));
    expect(knocks).toEqual([404, 404, 404, 429]);
  });

  it("[LIMIT-8] an IPv6 address counts by its first 64 bits", async () => {
    let host = 0;
    const fromNetwork = (network: string) => () => {
      host += 1;
      return knock(node, { "x-forwarded-for": `2001:db8:0:${network}::${host.toString(16)}` });
    };
    expect(await statuses(4, fromNetwork("1"))).toEqual([401, 401, 401, 429]);
    expect(await statuses(1, fromNetwork("2"))).toEqual([401]);
  });

  it("[LIMIT-8] what a client writes into X-Forwarded-For before the proxy does is not looked at", async () => {
    const address = newcomer();
    let forged = 0;
    const forge = () => {
      forged += 1;
      return knock(node, { "x-forwarded-for": `203.0.113.${forged}, 127.0.0.1, ${address}, 10.1.2.3` });
    };
    expect(await statuses(4, forge)).toEqual([401, 401, 401, 429]);
    expect((await knock(node, { "x-forwarded-for": address })).status).toBe(429);
  });
});

describe("without a trusted proxy", () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await startNode(LIMITS);
  });
  afterAll(() => node?.server.close());

  it("[LIMIT-8] X-Forwarded-For changes nothing", async () => {
    const forge = () => knock(node, { "x-forwarded-for": newcomer(), forwarded: `for=${newcomer()}` });
    expect(await statuses(4, forge)).toEqual([401, 401, 401, 429]);
  });
});

describe("the rates", () => {
  it("are off when the settings say so", async () => {
    const node = await startNode({ ...LIMITS, CONNECT_RATE: "off", HTTP_RATE: "off" });
    expect(await statuses(30, () => knock(node, {}))).toEqual(Array(30).fill(401));
    expect(await statuses(30, () => fetch(`${node.http}/nowhere`))).toEqual(Array(30).fill(404));
    await node.server.close();
  });

  it("remember 100,000 addresses at most", () => {
    const arrivals = new Arrivals({ connectRate: 1, connectBurst: 1, httpRate: "off", httpBurst: 1 });
    for (let knocks = 0; knocks < 100_100; knocks += 1) {
      arrivals.admit("connections", `10.${knocks >> 16}.${(knocks >> 8) & 255}.${knocks & 255}`);
    }
    const [first, last] = ["10.0.0.0", "10.1.135.3"];
    expect(() => arrivals.admit("connections", last)).toThrow("too many connections");
    expect(() => arrivals.admit("connections", first)).not.toThrow();
  });
});

describe("a proxy that is not named", () => {
  it("is told of in the log, once, when the first of its clients is refused", async () => {
    const storage = await openStorage();
    const log: LogLine[] = [];
    const arrivals = new Arrivals({ connectRate: 1, connectBurst: 1, httpRate: 1, httpBurst: 1 });
    const trustedProxies = TrustedProxies.parse("10.0.0.1");
    const server = await startServer({ ...storage.services, arrivals, trustedProxies }, log);
    const request = (remoteAddress: string, headers: Record<string, string>) =>
      ask(server, { url: "/nowhere", remoteAddress, headers });
    const proxied = { "x-forwarded-for": "192.0.2.1" };
    for (const [address, headers] of [
      ["10.0.0.2", {}],
      ["10.0.0.1", proxied],
    ] as const) {
      for (let asked = 0; asked < 3; asked += 1) await request(address, headers);
    }
    await turn();
    expect(log).toEqual([]);
    for (let asked = 0; asked < 4; asked += 1) await request("10.0.0.3", proxied);
    expect(log).toEqual([
      expect.objectContaining({ address: "10.0.0.3", msg: expect.stringContaining("see TRUST_PROXY") }),
    ]);
    await server.close();
    await storage.close();
  });
});
