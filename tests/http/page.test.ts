import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { createApp, startServer as startWholeServer } from "../../server/app.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { loadConfig } from "../../server/config.ts";
import { builtPage } from "../../server/http/page.ts";
import { newId } from "../../server/new-id.ts";
import { ask, type LogLine, openStorage, SECRET, type Storage, startServer } from "./server.ts";

const PAGE = "<!doctype html><title>Parley</title>";

/** As `npm run build` leaves it, with a file beside it that is nobody's business. */
const FILES = {
  "web/index.html": PAGE,
  "web/client.js": "export const client = true;",
  "web/icon.svg": "<svg/>",
  "web/assets/main-ABCD1234.js": "export {};",
  "web/assets/style-ABCD1234.css": "p { margin: 0 }",
  "package.json": '{"secret":true}',
};

let storage: Storage;
let parent: string;
let folder: string;
let server: FastifyInstance;
let port: number;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "parley-page-"));
  folder = join(parent, "web");
  await mkdir(join(folder, "assets"), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(parent, path), text);
  storage = await openStorage();
  server = await startServer({ ...storage.services, pageFolder: folder });
  port = Number(new URL(await server.listen({ host: "127.0.0.1", port: 0 })).port);
});
afterAll(async () => {
  await server.close();
  await storage.close();
  await rm(parent, { recursive: true });
});

interface Given {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Over a connection, with the path as it is written: other ways to ask resolve `..` before it leaves. */
function get(path: string, method = "GET", headers: Record<string, string> = {}): Promise<Given> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = await answer.toArray();
      resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() });
    });
    asked.on("error", reject).end();
  });
}

const notFound = (method: string, path: string) => ({
  error: { code: "not_found", message: `no such route: ${method} ${path}` },
});

describe("the page's files", () => {
  it.each([
    ["/", "text/html; charset=utf-8", "no-cache", PAGE],
    ["/?room=bob", "text/html; charset=utf-8", "no-cache", PAGE],
    ["/index.html", "text/html; charset=utf-8", "no-cache", PAGE],
    ["/client.js", "application/javascript; charset=utf-8", "no-cache", FILES["web/client.js"]],
    ["/icon.svg", "image/svg+xml", "no-cache", FILES["web/icon.svg"]],
    [
      "/assets/main-ABCD1234.js",
      "application/javascript; charset=utf-8",
      "public, max-age=31536000, immutable",
      FILES["web/assets/main-ABCD1234.js"],
    ],
    [
      "/assets/style-ABCD1234.css",
      "text/css; charset=utf-8",
      "public, max-age=31536000, immutable",
      FILES["web/assets/style-ABCD1234.css"],
    ],
  ])("%s", async (path, type, caching, text) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers).toMatchObject({ "content-type": type, "cache-control": caching });
  });

  it("come with a policy that lets nothing run but themselves, and nothing be reached but their own server", async () => {
    for (const path of ["/", "/client.js", "/assets/main-ABCD1234.js"]) {
      expect((await get(path)).headers).toMatchObject({
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
          "img-src 'self' data: http: https:; media-src 'self' http: https:; font-src 'self'; manifest-src 'self'; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
        "cross-origin-opener-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cross-origin-resource-policy": path === "/client.js" ? "cross-origin" : "same-origin",
      });
    }
  });

  it("are answered to HEAD without their content", async () => {
    const whole = await get("/");
    const head = await get("/", "HEAD");
    expect(head).toMatchObject({ status: 200, text: "" });
    expect({ ...head.headers, date: "" }).toEqual({ ...whole.headers, date: "" });
  });

  it("are not sent again to a browser that has them as they are", async () => {
    const { etag = "" } = (await get("/")).headers;
    expect(await get("/", "GET", { "if-none-match": etag })).toMatchObject({
      status: 304,
      text: "",
      headers: { "cache-control": "no-cache" },
    });
    expect(await get("/", "GET", { "if-none-match": '"another"' })).toMatchObject({ status: 200, text: PAGE });
  });

  it("may be imported by pages of other origins when they are the client library, and else not", async () => {
    expect((await get("/client.js")).headers["access-control-allow-origin"]).toBe("*");
    expect((await get("/")).headers).not.toHaveProperty("access-control-allow-origin");
    expect((await get("/assets/main-ABCD1234.js")).headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("are read and no more", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await get("/", method);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.text)).toEqual(notFound(method, "/"));
    }
  });

  it("are not in the OpenAPI document", async () => {
    const document = JSON.parse((await get("/docs/openapi.json")).text);
    expect(Object.keys(document.paths).filter((path) => /^\/$|\/\*|assets|\.(?:js|html|svg)$/.test(path))).toEqual([]);
    expect(document.paths).toHaveProperty("/healthz");
  });
});

describe("what is not of the page", () => {
  const NO_PAGE = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
  };

  it.each([
    "/nothing",
    "/assets",
    "/assets/",
    "/assets/main-00000000.js",
    "/package.json",
    "/../package.json",
    "/..%2fpackage.json",
    "/..%2Fpackage.json",
    "/%2e%2e/package.json",
    "/%2e%2e%2fpackage.json",
    "/assets/../../package.json",
    "/assets/..%2f..%2fpackage.json",
    "/..\\package.json",
    "/..%5cpackage.json",
    "/assets\\..\\..\\package.json",
    "//package.json",
    "/.",
    "/index.html%00",
    "/%00",
  ])("is not found: %s", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toEqual(notFound("GET", path));
    expect(answer.headers).toMatchObject(NO_PAGE);
  });

  it("answers as without the page: the API", async () => {
    const answer = await get("/healthz");
    expect(answer).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(answer.headers).toMatchObject(NO_PAGE);
    expect(await get("/api/me")).toMatchObject({ status: 401 });
  });
});

describe("WEB_PAGE", () => {
  /** What the composition root makes of the setting, and of what was built. */
  async function startWith(settings: Record<string, string>, builtInto: string) {
    const config = loadConfig({ NODE_ENV: "test", LOG_LEVEL: "silent", JWT_SECRET: SECRET, ...settings });
    const store = createStore(await openPglite(null), newId);
    const describe = { storage: "a test's storage", layer: "a test's layer" };
    const foundations = { store, layer: new MemoryBroker().join(), isSwept: false, describe };
    return startWholeServer(config, foundations, createApp(config), builtInto);
  }

  it("is on: / is the page, and the socket paths are what they are without it", async () => {
    const whole = await startWith({}, folder);
    expect(whole.hasWebPage).toBe(true);
    expect(await ask(whole.app, { url: "/" })).toMatchObject({ status: 200, text: PAGE });
    for (const url of ["/chat", "/rooms", "/ws/bob/"]) {
      expect(await ask(whole.app, { url })).toMatchObject({ status: 426, headers: { upgrade: "websocket" } });
    }
    await whole.close();
  });

  it.each([
    ["is off", { WEB_PAGE: "off" }, () => folder],
    ["is on and the page was not built", {}, () => join(folder, "assets")],
  ])("%s: / is not found", async (_name, settings, builtInto) => {
    const whole = await startWith(settings, builtInto());
    expect(whole.hasWebPage).toBe(false);
    const answer = await ask(whole.app, { url: "/" });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual(notFound("GET", "/"));
    await whole.close();
  });
});

describe("where the page was built", () => {
  it("there is a page, else a line in the log at info that says how to make it", () => {
    const log: LogLine[] = [];
    const stream = { write: (line: string) => log.push(JSON.parse(line)) };
    const { log: logger } = Fastify({ logger: { level: "info", stream } });
    expect(builtPage(folder, logger)).toBe(folder);
    expect(log).toEqual([]);
    expect(builtPage(join(parent, "nowhere"), logger)).toBeNull();
    expect(log).toEqual([expect.objectContaining({ level: 30, msg: expect.stringContaining("npm run build") })]);
  });
});
