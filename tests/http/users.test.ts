import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API_KEY, ask, openStorage, personOf, type Storage, signToken, startServer } from "./server.ts";

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

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("GET /api/me", () => {
  it("answers with the profile that the token tells of, and nothing more", async () => {
    const token = await signToken({
      sub: "u-1",
      username: "ada",
      given_name: "Ada",
      family_name: "Lovelace",
      picture: "https://example.com/ada.png",
      email: "ada@example.com",
    });
    expect(await ask(server, { url: "/api/me", headers: bearer(token) })).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" },
    });
    const { body } = await ask(server, { url: "/api/me/", headers: bearer(token) });
    expect(body).toEqual({
      id: "u-1",
      username: "ada",
      name: "Ada Lovelace",
      first_name: "Ada",
      last_name: "Lovelace",
      avatar: "https://example.com/ada.png",
    });
  });

  it("refuses who brings no token, or one elsewhere than in the header", async () => {
    const token = await signToken({ sub: "u-1" });
    for (const options of [
      { url: "/api/me" },
      { url: "/api/me", headers: { cookie: `token=${token}` } },
      { url: `/api/me?token=${token}` },
      { url: "/api/me", headers: { authorization: `Basic ${token}` } },
    ]) {
      const answer = await ask(server, options);
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      expect(answer.body).toEqual({
        error: { code: "unauthorized", message: "expected a token: Authorization: Bearer <token>" },
      });
    }
  });

  it("refuses a token that is not valid, and never repeats it", async () => {
    const expired = await signToken({ sub: "u-1" }, "-1h");
    const withoutSubject = await signToken({ username: "ada" });
    const nameless = await signToken({ sub: "not a username" });
    const malformed = await signToken({ sub: "u-2", username: "two words" });
    for (const token of ["nonsense", expired, withoutSubject, nameless, malformed]) {
      const answer = await ask(server, { url: "/api/me", headers: bearer(token) });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "unauthorized" } } });
      expect(JSON.stringify(answer)).not.toContain(token);
    }
  });

  it("refuses a username that another id holds with a conflict", async () => {
    await personOf(server, "first", { username: "taken" });
    const token = await signToken({ sub: "second", username: "taken" });
    const answer = await ask(server, { url: "/api/me", headers: bearer(token) });
    expect(answer).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  });
});

describe("GET /api/users", () => {
  it("[SIGHT-2] finds by the beginnings of username or name, in the order of usernames", async () => {
    const person = await personOf(server, "search-c", { name: "Quaint" });
    await personOf(server, "search-a", { name: "Quaint too" });
    await personOf(server, "search-b");
    const usernames = async (query: string) => {
      const { status, body } = await person.get(`/api/users${query}`);
      expect(status).toBe(200);
      return body.results.map((user: { username: string }) => user.username);
    };
    expect(await usernames("?search=SEARCH-")).toEqual(["search-a", "search-b", "search-c"]);
    expect(await usernames("?search=quaint")).toEqual(["search-a", "search-c"]);
    expect(await usernames("?search=search-&limit=2")).toEqual(["search-a", "search-b"]);
    expect(await usernames("?search=%25")).toEqual([]);
    expect(await usernames("")).toContain("search-c");
  });

  it.each([
    ["limit=abc", "query.limit: expected a whole number from 1 to 100"],
    ["limit=-1", "query.limit: expected a whole number from 1 to 100"],
    ["limit=0", "query.limit: expected a whole number from 1 to 100"],
    ["limit=101", "query.limit: expected a whole number from 1 to 100"],
    ["limit=1.5", "query.limit: expected a whole number from 1 to 100"],
    ["limit=", "query.limit: expected a whole number from 1 to 100"],
    ["limit=1&limit=2", "query.limit: expected a whole number from 1 to 100"],
    ["search=%00", "query.search: must be well-formed Unicode without NUL"],
    ["serach=x", "query.serach: unknown field"],
  ])("refuses ?%s", async (query, message) => {
    const person = await personOf(server, "search-c");
    const answer = await person.get(`/api/users?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame", message } } });
  });
});

describe("PUT /api/users/:id", () => {
  const provision = (id: string, payload: object, key = API_KEY) =>
    ask(server, { method: "PUT", url: `/api/users/${encodeURIComponent(id)}`, headers: bearer(key), payload });

  it("stores a user whom nobody has seen, again and again the same", async () => {
    const fields = {
      username: "grace",
      name: "Grace Hopper",
      first_name: "Grace",
      last_name: "Hopper",
      avatar: "grace.png",
    };
    for (const _ of [1, 2]) {
      const answer = await provision("auth0|grace/1", fields);
      expect(answer).toMatchObject({ status: 200, body: { id: "auth0|grace/1", ...fields } });
    }
    const person = await personOf(server, "auth0|grace/1");
    expect((await person.get("/api/me")).body).toEqual({ id: "auth0|grace/1", ...fields });
  });

  it("leaves as it was what is not given, and takes an avatar away", async () => {
    await provision("kept", { name: "Kept", avatar: "kept.png" });
    expect((await provision("kept", { first_name: "K" })).body).toEqual({
      id: "kept",
      username: "kept",
      name: "Kept",
      first_name: "K",
      last_name: "",
      avatar: "kept.png",
    });
    expect((await provision("kept", { avatar: null })).body.avatar).toBeNull();
    expect((await provision("kept", { avatar: "", name: "" })).body).toMatchObject({ avatar: null, name: "Kept" });
  });

  it("takes the longest id there may be", async () => {
    const id = "𝕏".repeat(64);
    expect(await provision(id, { username: "longest" })).toMatchObject({ status: 200, body: { id } });
  });

  it("refuses another's username, the form of a field, an unknown one", async () => {
    await provision("holder", {});
    expect(await provision("other", { username: "holder" })).toMatchObject({
      status: 409,
      body: { error: { code: "conflict" } },
    });
    const refused = async (id: string, payload: object) => {
      const answer = await provision(id, payload);
      expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
      return answer.body.error.message;
    };
    expect(await refused("x", { avatar: "javascript:alert(1)" })).toBe(
      "body.avatar: expected an http or https URL or a relative one",
    );
    expect(await refused("x", { email: "x@example.com" })).toBe("body.email: unknown field");
    expect(await refused("x", { username: "notifications" })).toBe("body.username: notifications is a reserved name");
    expect(await refused("two words", {})).toContain("no username is given");
    expect(await refused("x".repeat(129), {})).toContain("path.id: expected");
  });

  it("refuses every key but the API key, a user's token too", async () => {
    const token = await signToken({ sub: "u-1" });
    for (const key of ["", "wrong", `${API_KEY}x`, token]) {
      expect(await provision("u-9", {}, key)).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
    }
    expect(await ask(server, { method: "PUT", url: "/api/users/u-9", payload: {} })).toMatchObject({ status: 401 });
    expect(await ask(server, { url: "/api/me", headers: bearer(API_KEY) })).toMatchObject({ status: 401 });
  });

  it("does not exist without an API key", async () => {
    const closed = await startServer({ ...storage.services, apiKey: null });
    const answer = await ask(closed, { method: "PUT", url: "/api/users/x", headers: bearer(API_KEY), payload: {} });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    await closed.close();
  });
});
