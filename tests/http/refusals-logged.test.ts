/** What an operator or a developer has to know of refusals is in the log, and no stranger fills it. */
import { once } from "node:events";
import { connect } from "node:net";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { Notices } from "../../server/notices.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";
import { type LogLine, openStorage, startServer } from "./server.ts";

let node: TestNode;
type Line = [fields: Record<string, unknown>, message: string];
const lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];

beforeAll(async () => {
  node = await startNodeOn(createStore(await openPglite(null), newId), new MemoryBroker().join());
  // At debug each refusal has a line.
  for (const level of ["info", "warn", "error"] as const) {
    vi.spyOn(node.server.app.log, level).mockImplementation((...line: unknown[]) => {
      const [fields, message] = line as Line;
      lines.push({ level, fields, message });
    });
  }
});
afterAll(async () => {
  vi.restoreAllMocks();
  await node?.server.close();
});
afterEach(() => {
  lines.length = 0;
});

async function upgrade(headers: Record<string, string>): Promise<number> {
  const client = await RawClient.connect(node);
  client.requestUpgrade("/ws/ann/", headers);
  const { status } = await client.answer();
  await client.rest();
  return status;
}

describe("the log", () => {
  it("has the origin that was refused and the setting's name, once", async () => {
    for (let times = 0; times < 3; times += 1) {
      expect(await upgrade({ origin: "https://app.example" })).toBe(403);
    }
    expect(lines).toEqual([
      {
        level: "warn",
        fields: { origin: "https://app.example", host: "loopback", times: 1 },
        message: expect.stringContaining("ALLOWED_ORIGINS"),
      },
    ]);
  });

  it("has why a token was refused, once for each reason, and no token", async () => {
    const expired = await tokenFor("ann", {}, -60);
    for (let times = 0; times < 3; times += 1) {
      expect(await upgrade({ authorization: `Bearer ${expired}` })).toBe(401);
      expect(await upgrade({})).toBe(401);
    }
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ["info", "a caller was refused: the token has expired"],
      ["info", "a caller was refused: a token is needed"],
    ]);
    expect(JSON.stringify(lines)).not.toContain(expired);
  });

  it("has that a proxy took the upgrade away, once", async () => {
    for (let times = 0; times < 3; times += 1) expect((await fetch(`${node.http}/ws/ann/`)).status).toBe(426);
    expect(lines).toEqual([expect.objectContaining({ level: "info", message: expect.stringContaining("Upgrade") })]);
  });
});

describe("the metrics", () => {
  it("count refusals by code", async () => {
    const counted = async () => {
      const text = await (await fetch(`${node.http}/metrics`)).text();
      return Number(/parley_refusals_total\{code="forbidden"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await upgrade({ origin: "https://other.example" });
    await expect.poll(counted, { timeout: 5_000 }).toBe(before + 1);
  });
});

describe("notices", () => {
  it("are said once a minute for a cause, with how often it came, and of so many causes alone", () => {
    let now = 0;
    const said: unknown[] = [];
    const log = { warn: (...line: unknown[]) => said.push(line), debug: () => {} } as never;
    const notices = new Notices(log, () => now);
    for (let times = 0; times < 5; times += 1) notices.tell("warn", "a", {}, "a came");
    now += 60_000;
    notices.tell("warn", "a", {}, "a came");
    expect(said).toEqual([
      [{ times: 1 }, "a came"],
      [{ times: 5 }, "a came"],
    ]);
    for (let cause = 0; cause < 200; cause += 1) notices.tell("warn", `cause ${cause}`, {}, "came");
    expect(said.length).toBe(2 + 49);
  });
});

describe("a client that goes away in the middle of its request", () => {
  it("is no error", async () => {
    const storage = await openStorage();
    const log: LogLine[] = [];
    const server = await startServer(storage.services, log);
    server.log.level = "debug";
    const { hostname, port } = new URL(await server.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect(Number(port), hostname);
    const asked = once(server.server, "request");
    socket.write("POST /api/dev/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    socket.write('content-length: 100\r\n\r\n{"username":');
    const [request] = await asked;
    // From when on the server waits for the rest of the body.
    await expect.poll(() => request.listenerCount("data")).toBeGreaterThan(0);
    socket.resetAndDestroy();
    await expect.poll(() => log.map(({ msg }) => msg)).toContain("a client went away before its request was whole");
    expect(log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
    await server.close();
    await storage.close();
  });
});
