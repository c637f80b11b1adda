/** What the HTTP side of the library asks, and what it makes of the answers. */
import { describe, expect, test, vi } from "vitest";
import {
  type Api,
  connectConversationNotifications,
  connectRoom,
  createApi,
  developmentToken,
  ParleyError,
} from "../../client/index.ts";

interface Asked {
  readonly method: string | undefined;
  readonly url: string;
  readonly token: string | null;
  readonly type: string | null;
  readonly body: unknown;
}

/** A server that answers with these, one after the other, and keeps what it was asked. */
function server(...answers: Response[]) {
  const asked: Asked[] = [];
  const fetch: typeof globalThis.fetch = async (url, request) => {
    const headers = new Headers(request?.headers);
    asked.push({
      method: request?.method,
      url: String(url),
      token: headers.get("authorization"),
      type: headers.get("content-type"),
      body: typeof request?.body === "string" ? JSON.parse(request.body) : request?.body,
    });
    return answers.shift() ?? Response.json({});
  };
  return { asked, fetch, url: "https://chat.example" };
}

const refused = (status: number, error: object) => Response.json({ error }, { status });
const expired = () => refused(401, { code: "unauthorized", message: "the token has expired" });
const getToken = () => "token";

describe("each method asks what its name says", () => {
  const room = "a/b?c";
  const calls: [string, (api: Api) => Promise<unknown>, string, unknown?][] = [
    ["me", (api) => api.me(), "GET /api/me"],
    ["users", (api) => api.users(), "GET /api/users"],
    ["users", (api) => api.users({ search: "bo & co", limit: 5 }), "GET /api/users?search=bo+%26+co&limit=5"],
    ["conversations", (api) => api.conversations({ cursor: "x=" }), "GET /api/conversations?cursor=x%3D"],
    ["conversation", (api) => api.conversation(room), "GET /api/conversations/a%2Fb%3Fc"],
    [
      "createGroup",
      (api) => api.createGroup({ name: "team", members: ["bob"], id: "g" }),
      "POST /api/conversations",
      { type: "group", name: "team", members: ["bob"], id: "g" },
    ],
    [
      "updateGroup",
      (api) => api.updateGroup("g", { image_url: null }),
      "PATCH /api/conversations/g",
      { image_url: null },
    ],
    ["addMembers", (api) => api.addMembers("g", ["bob"]), "POST /api/conversations/g/members", { members: ["bob"] }],
    ["removeMember", (api) => api.removeMember("g", "bob+1"), "DELETE /api/conversations/g/members/bob%2B1"],
    ["messages", (api) => api.messages(room), "GET /api/rooms/a%2Fb%3Fc/messages"],
    [
      "messages",
      (api) => api.messages("bob", { before: 9, after: 0, limit: 50, pinned: false }),
      "GET /api/rooms/bob/messages?before=9&after=0&limit=50&pinned=false",
    ],
    ["page", (api) => api.page("/api/rooms/bob/messages?before=9"), "GET /api/rooms/bob/messages?before=9"],
  ];

  test.each(calls)("%s", async (_name, call, expected, body = null) => {
    const { asked, ...options } = server(Response.json({ answer: 1 }));
    expect(await call(createApi({ ...options, getToken }))).toEqual({ answer: 1 });
    const [method, path] = expected.split(" ");
    const type = body === null ? null : "application/json";
    expect(asked).toEqual([{ method, url: `https://chat.example${path}`, token: "Bearer token", type, body }]);
  });
});

describe("where the server is", () => {
  test.each([
    ["https://chat.example/behind", "https://chat.example/behind/api/me"],
    ["https://chat.example/behind/", "https://chat.example/behind/api/me"],
    ["https://chat.example/a/b/?q#f", "https://chat.example/a/b/api/me"],
    [new URL("http://127.0.0.1:8000"), "http://127.0.0.1:8000/api/me"],
  ])("%s leads to %s", async (url, expected) => {
    const { asked, fetch } = server();
    await createApi({ fetch, url, getToken }).me();
    expect(asked.map((request) => request.url)).toEqual([expected]);
  });

  test("is the page's origin, where there is a page; without one that is an error of the app's", async () => {
    const { asked, fetch } = server();
    const api = createApi({ fetch, getToken });
    await expect(api.me()).rejects.toThrow(TypeError);
    vi.stubGlobal("location", { origin: "https://page.example" });
    await api.me();
    vi.unstubAllGlobals();
    expect(asked.map(({ url }) => url)).toEqual(["https://page.example/api/me"]);
  });
});

describe("a token that is refused", () => {
  test("is replaced by a fresh one, and the request made once more", async () => {
    const { asked, ...options } = server(expired(), Response.json({ username: "alice" }));
    const asking = vi.fn(async ({ refresh }: { refresh: boolean }) => (refresh ? "fresh" : "old"));
    expect(await createApi({ ...options, getToken: asking }).addMembers("g", ["bob"])).toEqual({ username: "alice" });
    expect(asked.map(({ token }) => token)).toEqual(["Bearer old", "Bearer fresh"]);
    expect(asked[1]).toEqual({ ...asked[0], token: "Bearer fresh" });
  });

  test("a second time is the app's to know of", async () => {
    const { asked, ...options } = server(expired(), expired(), Response.json({}));
    await expect(createApi({ ...options, getToken }).me()).rejects.toMatchObject({ code: "unauthorized" });
    expect(asked).toHaveLength(2);
  });

  test("is asked for anew for each request", async () => {
    const { asked, ...options } = server();
    let count = 0;
    const api = createApi({ ...options, getToken: () => `token ${++count}` });
    await api.me();
    await api.users();
    expect(asked.map(({ token }) => token)).toEqual(["Bearer token 1", "Bearer token 2"]);
  });
});

describe("a name that no path can have", () => {
  const names = [".", "..", "", "\ud800"];
  const calls: ((api: Api, name: string) => Promise<unknown>)[] = [
    (api, name) => api.messages(name),
    (api, name) => api.conversation(name),
    (api, name) => api.updateGroup(name, {}),
    (api, name) => api.addMembers(name, ["bob"]),
    (api, name) => api.removeMember(name, "bob"),
    (api, name) => api.removeMember("g", name),
  ];

  test.each(names)("%o is refused before anything is asked", async (name) => {
    const { asked, ...options } = server();
    const api = createApi({ ...options, getToken });
    for (const call of calls) await expect(call(api, name)).rejects.toThrow(/^expected a name, got /);
    for (const connect of [connectRoom, connectConversationNotifications]) {
      expect(() => connect(name, { ...options, getToken, WebSocket: class {} as never })).toThrow(TypeError);
    }
    expect(asked).toEqual([]);
  });

  test.each(["...", ".a", "a..", "%2e%2e", "~bob", "~..", " "])("%o can be one", async (name) => {
    const { asked, ...options } = server();
    await createApi({ ...options, getToken }).messages(name);
    expect(new URL(asked[0]?.url ?? "").pathname).toBe(`/api/rooms/${encodeURIComponent(name)}/messages`);
  });

  test.each(["https://evil.example/", "//evil.example/x"])("%s is no page of the server's", async (link) => {
    const { asked, ...options } = server();
    await expect(createApi({ ...options, getToken }).page(link)).rejects.toThrow(TypeError);
    expect(asked).toEqual([]);
  });
});

describe("an answer", () => {
  test("without a body is nothing", async () => {
    const { asked, ...options } = server(new Response(null, { status: 204 }));
    expect(await createApi({ ...options, getToken }).removeMember("g", "bob")).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test("that refuses is a ParleyError with the server's code, and is not asked for again", async () => {
    const error = { code: "forbidden", message: "only its creator adds members" };
    const { asked, ...options } = server(refused(403, error));
    const failure = await createApi({ ...options, getToken })
      .addMembers("g", ["bob"])
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ParleyError);
    expect(failure).toMatchObject({ ...error, name: "ParleyError", retryAfter: undefined });
    expect(asked).toHaveLength(1);
  });

  test("that asks to wait says how long, in ms", async () => {
    const error = { code: "rate_limited", message: "slowly", retry_after: 250 };
    const { fetch, url } = server(refused(429, error));
    await expect(createApi({ fetch, url, getToken }).me()).rejects.toMatchObject({
      code: "rate_limited",
      retryAfter: 250,
    });
  });

  test.each([
    ["a page", () => new Response("<html>Bad Gateway</html>", { status: 502 })],
    ["JSON null", () => Response.json(null, { status: 502 })],
    ["a page with status 200", () => new Response("<html>Sign in</html>")],
    ["JSON of its own", () => Response.json({ message: "upstream timed out" }, { status: 504 })],
  ])("of somebody else, %s, is `unavailable`", async (_what, answer) => {
    const { fetch, url } = server(answer());
    const failure = createApi({ fetch, url, getToken }).me();
    await expect(failure).rejects.toMatchObject({ name: "ParleyError", code: "unavailable" });
  });

  test("that never came is `unavailable`, with the cause", async () => {
    const cause = new TypeError("fetch failed");
    const api = createApi({ url: "https://chat.example", getToken, fetch: () => Promise.reject(cause) });
    await expect(api.me()).rejects.toMatchObject({ name: "ParleyError", code: "unavailable", cause });
  });

  test("that is not waited for any longer is the signal's reason", async () => {
    const abort = new AbortController();
    const fetch: typeof globalThis.fetch = (_url, request) =>
      new Promise((_resolve, reject) => {
        request?.signal?.addEventListener("abort", () => reject(request.signal?.reason));
      });
    const asking = createApi({ url: "https://chat.example", getToken, fetch, signal: abort.signal }).me();
    // The token is awaited first.
    await Promise.resolve();
    abort.abort();
    await expect(asking).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a token for development", () => {
  test("is asked for by name, without a token", async () => {
    const { asked, ...options } = server(Response.json({ token: "t", user: { username: "alice" } }));
    expect(await developmentToken("alice", options)).toEqual({ token: "t", user: { username: "alice" } });
    const [url, type] = ["https://chat.example/api/dev/token", "application/json"];
    expect(asked).toEqual([{ method: "POST", url, token: null, type, body: { username: "alice" } }]);
  });

  test("is asked for with the secret of the server's log, where there is one", async () => {
    const { asked, ...options } = server(Response.json({ token: "t", user: { username: "alice" } }));
    await developmentToken("alice", { ...options, secret: "s" });
    expect(asked.map(({ body }) => body)).toEqual([{ username: "alice", secret: "s" }]);
  });

  test("is not to be had where the server has a key", async () => {
    const options = server(refused(404, { code: "not_found", message: "no such route" }));
    await expect(developmentToken("alice", options)).rejects.toMatchObject({ code: "not_found" });
  });
});
