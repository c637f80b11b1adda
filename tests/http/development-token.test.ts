import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askingSecret } from "../../server/auth/development-secret.ts";
import { TrustedProxies } from "../../server/trusted-proxies.ts";
import { ask, type LogLine, openStorage, personOf, SECRET, type Storage, startServer } from "./server.ts";

let storage: Storage;
let server: FastifyInstance;

beforeAll(async () => {
  storage = await openStorage();
  server = await startServer(storage.services);
});
afterAll(async () => {
  await server.close();
  await storage.close();
});

interface From {
  readonly remoteAddress?: string;
  readonly headers?: Record<string, string>;
}

const secret = askingSecret(SECRET);

const request = (payload: object, from: From = {}, to = server) =>
  ask(to, { method: "POST", url: "/api/dev/token", payload: { secret, ...payload }, ...from });

describe("POST /api/dev/token", () => {
  it("gives a token that works, to a user whom others find at once", async () => {
    const { status, body } = await request({ username: "alice" });
    expect(status).toBe(200);
    const user = { id: "alice", username: "alice", name: "alice", first_name: "", last_name: "", avatar: null };
    expect(body).toEqual({ token: expect.any(String), user });
    const other = await personOf(server, "bob");
    expect((await other.get("/api/users?search=alice")).body.results).toEqual([user]);
    const me = await ask(server, { url: "/api/me", headers: { authorization: `Bearer ${body.token}` } });
    expect(me.body).toEqual(user);
  });

  it("gives it for 30 days", async () => {
    const { body } = await request({ username: "alice" });
    const claims = JSON.parse(Buffer.from(body.token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.exp - claims.iat).toBe(30 * 24 * 60 * 60);
  });

  it.each<[string, From]>([
    ["IPv6", { remoteAddress: "::1" }],
    ["IPv4 mapped into IPv6", { remoteAddress: "::ffff:127.0.0.1" }],
    ["a page of the server's own", { headers: { host: "localhost:8000", origin: "http://localhost:8000" } }],
    ["a page opened by address", { headers: { host: "[::1]:8000", origin: "http://[::1]:8000" } }],
  ])("answers the loopback: %s", async (_name, from) => {
    expect(await request({ username: "alice" }, from)).toMatchObject({ status: 200 });
  });

  it.each<[string, From]>([
    ["another machine", { remoteAddress: "192.0.2.1" }],
    ["another machine by IPv6", { remoteAddress: "2001:db8::1" }],
    ["whoever stands behind a proxy", { headers: { "x-forwarded-for": "192.0.2.1" } }],
    ["who says so himself", { remoteAddress: "192.0.2.1", headers: { "x-forwarded-for": "127.0.0.1" } }],
    ["whoever stands behind a newer proxy", { headers: { forwarded: "for=192.0.2.1" } }],
    ["a foreign page", { headers: { host: "localhost:8000", origin: "https://evil.example" } }],
    ["a page without an origin of its own", { headers: { host: "localhost:8000", origin: "null" } }],
    ["a foreign name for this machine", { headers: { host: "evil.example:8000", origin: "http://evil.example:8000" } }],
  ])("is forbidden to %s", async (_name, from) => {
    expect(await request({ username: "alice" }, from)).toMatchObject({
      status: 403,
      body: { error: { code: "forbidden" } },
    });
  });

  it.each<[string, From]>([
    ["says whom it speaks for", { headers: { "x-forwarded-for": "192.0.2.1" } }],
    ["hands on what its client says", { headers: { "x-forwarded-for": "127.0.0.1" } }],
    ["says nothing at all", {}],
  ])("is forbidden through a trusted proxy that %s", async (_name, from) => {
    const trustedProxies = TrustedProxies.parse("127.0.0.1");
    const behind = await startServer({ ...storage.services, trustedProxies });
    expect(await request({ username: "alice" }, from, behind)).toMatchObject({ status: 403 });
    expect(await request({ username: "alice" }, { remoteAddress: "::1" }, behind)).toMatchObject({ status: 200 });
    await behind.close();
  });

  it.each([
    ["none", { secret: undefined }],
    ["another", { secret: "x".repeat(32) }],
    ["the signing secret itself", { secret: SECRET }],
  ])("is forbidden to who shows no secret of the log's, whatever a proxy in front says: %s", async (_name, shown) => {
    const from = { headers: { host: "127.0.0.1:8000" } };
    const answer = await request({ username: "alice", ...shown }, from);
    expect(answer).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
    expect(answer.text).not.toContain(secret);
  });

  it("looks at nothing more from who has guessed ten times, and says so in the log once, without the guesses", async () => {
    const log: LogLine[] = [];
    const guarded = await startServer(storage.services, log);
    const from = { remoteAddress: "127.0.0.9" };
    const statuses: number[] = [];
    for (let guess = 0; guess < 11; guess += 1) {
      statuses.push((await request({ username: "alice", secret: `guess-${guess}` }, from, guarded)).status);
    }
    expect(statuses).toEqual([...Array(10).fill(403), 429]);
    expect((await request({ username: "alice" }, from, guarded)).status).toBe(429);
    expect((await request({ username: "alice" }, {}, guarded)).status).toBe(200);
    expect(log).toEqual([expect.objectContaining({ address: "127.0.0.9", wrong: 1 })]);
    expect(JSON.stringify(log)).not.toContain("guess-");
    await guarded.close();
  });

  it("refuses a malformed username, and one that another id holds", async () => {
    for (const username of ["", "two words", "notifications", "x".repeat(129), 7]) {
      const answer = await request({ username });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
      expect(answer.body.error.message).toMatch(/^body\.username: /);
    }
    await personOf(server, "u-1", { username: "carol" });
    expect(await request({ username: "carol" })).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  });

  it("does not exist with a key configured", async () => {
    const closed = await startServer({ ...storage.services, developmentSecret: null });
    expect(await request({ username: "alice" }, {}, closed)).toMatchObject({
      status: 404,
      body: { error: { code: "not_found" } },
    });
    await closed.close();
  });
});
