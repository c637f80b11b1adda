import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LayerUnavailable } from "../../server/channel-layer/layer.ts";
import { Refusal, StorageUnavailable } from "../../server/core/errors.ts";
import { errorBody } from "../../server/protocol/errors.ts";
import {
  ask,
  type LogLine,
  MAX_FRAME_BYTES,
  openStorage,
  type Person,
  personOf,
  type Storage,
  startServer,
} from "./server.ts";

let storage: Storage;
let server: FastifyInstance;
let alice: Person;

beforeAll(async () => {
  storage = await openStorage(2);
  server = await startServer(storage.services);
  alice = await personOf(server, "alice");
});
afterAll(async () => {
  await server.close();
  await storage.close();
});

const json = { "content-type": "application/json" };

describe("a request that no route can take", () => {
  it.each<[string, string, string, number, string]>([
    ["broken JSON", '{"message":', "application/json", 400, "invalid_json"],
    ["a prototype of its own", '{"__proto__":{"x":1}}', "application/json", 400, "invalid_json"],
    ["a form", "message=x", "application/x-www-form-urlencoded", 400, "invalid_json"],
    ["plain text", "hello", "text/plain", 400, "invalid_json"],
    ["too much", JSON.stringify({ message: "x".repeat(MAX_FRAME_BYTES) }), "application/json", 413, "too_large"],
  ])("is refused: %s", async (_name, payload, contentType, status, code) => {
    const answer = await alice.post("/api/rooms/alice/messages", payload, { "content-type": contentType });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(errorBody.safeParse(answer.body).success).toBe(true);
  });

  it("takes a body of exactly the limit", async () => {
    const padding = MAX_FRAME_BYTES - JSON.stringify({ message: "" }).length;
    const payload = JSON.stringify({ message: "x".repeat(padding) });
    const answer = await alice.post("/api/rooms/alice/messages", payload, json);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
  });

  it.each([
    ["GET", "/api/nothing"],
    ["GET", "/nothing?token=secret"],
    ["DELETE", "/api/me"],
    ["POST", "/healthz"],
  ] as const)("is not found: %s %s", async (method, url) => {
    const answer = await alice[method === "GET" ? "get" : method === "POST" ? "post" : "delete"](url);
    const path = url.split("?")[0];
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({ error: { code: "not_found", message: `no such route: ${method} ${path}` } });
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("is not found where it is a QUERY, which no route takes", async () => {
    const query = (headers: Record<string, string>) =>
      ask(server, { method: "QUERY" as "GET", url: "/api/me", headers });
    for (const headers of [{}, { "content-type": "text/plain" }, json]) {
      expect(await query(headers)).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    }
  });

  it("says what is wrong with a path", async () => {
    const refused = await alice.get("/api/rooms/%zz/messages");
    expect(refused).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_frame", message: "path: its percent-encoding is not valid" } },
      headers: { "x-content-type-options": "nosniff", "cache-control": "no-store" },
    });
    expect(await alice.get(`/api/rooms/${"x".repeat(2000)}/messages`)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_frame", message: "path: a part of it is longer than any id or name" } },
    });
    expect(await alice.get(`/api/rooms/${"x".repeat(151)}/messages`)).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_frame", message: "path.room: expected at most 150 characters" } },
    });
  });
});

describe("a refusal of the core's", () => {
  it("rate_limited says when to try again, in milliseconds and in whole seconds", async () => {
    const bob = await personOf(server, "bob");
    const send = () => bob.post("/api/rooms/alice/messages", { message: "x" });
    expect([(await send()).status, (await send()).status]).toEqual([201, 201]);
    const { status, body, headers } = await send();
    expect(status).toBe(429);
    // One message at 0.4 a second.
    expect(body).toEqual({
      error: { code: "rate_limited", message: "too many messages; try again in 2500 ms", retry_after: 2500 },
    });
    expect(headers["retry-after"]).toBe("3");
  });
});

describe("what fails inside", () => {
  async function failing(error: unknown) {
    const log: LogLine[] = [];
    const broken = await startServer(
      {
        ...storage.services,
        authenticate: async () => {
          throw error;
        },
      },
      log,
    );
    const answer = await ask(broken, {
      url: "/api/users?search=x&token=secret",
      headers: { authorization: "Bearer of-some-kind" },
    });
    await broken.close();
    return { answer, log };
  }

  it.each([
    ["storage", new StorageUnavailable(new Error("ECONNREFUSED 10.0.0.7"))],
    ["the channel layer", new LayerUnavailable("ECONNREFUSED 10.0.0.7")],
    ["the key set", new Refusal("unavailable", "the keys could not be fetched")],
  ])("is unavailable when %s is", async (_name, error) => {
    const { answer, log } = await failing(error);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
    expect(JSON.stringify(answer.body)).not.toContain("10.0.0.7");
    expect(log).toEqual([expect.objectContaining({ method: "GET", url: "/api/users?search=x&token=[redacted]" })]);
  });

  it.each([
    ["an error", new TypeError("the inside of the server")],
    ["an error that claims a status", Object.assign(new Error("the inside of the server"), { statusCode: 404 })],
    ["a refusal for want of better", new Refusal("internal", "the inside of the server")],
    ["no error at all", "the inside of the server"],
  ])("is internal, and logged: %s", async (_name, error) => {
    const { answer, log } = await failing(error);
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.body).toEqual({ error: { code: "internal", message: "internal error" } });
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ msg: "a request failed", method: "GET" });
    expect(JSON.stringify(log)).toContain("the inside of the server");
    expect(JSON.stringify(log)).not.toContain("of-some-kind");
  });
});
