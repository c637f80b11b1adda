/** The nginx example of docs/security.md, as it stands there but for addresses and places, in front of a server. */
import { spawnSync } from "node:child_process";
import { on, once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { v7 as newId } from "uuid";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import { settings } from "../../server/settings.ts";
import { readDocument } from "../docs/documents.ts";
import { freePort, prepareServerProcess, type ServerProcess } from "../support/server-process.ts";
import { startNodeOn, type TestNode, tokenFor } from "../support/stack.ts";

const HOST = "chat.example";
const example = /```nginx\n(.*?)```/s.exec(readDocument("docs/security.md"))?.[1] ?? "";

/** Where Debian has it, though not in everybody's PATH. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
const missing = [["nginx", "-v"] as const, ["openssl", "version"] as const]
  .filter(([command, parameter]) => spawnSync(command, [parameter], { env }).status !== 0)
  .map(([command]) => command);

it("the example waits longer than the server does", () => {
  const { PING_SECONDS } = settings.parse({});
  for (const direction of ["read", "send"]) {
    const seconds = Number(new RegExp(`proxy_${direction}_timeout (\\d+)s;`).exec(example)?.[1]);
    expect(seconds).toBeGreaterThan(2 * PING_SECONDS);
  }
});

describe.skipIf(missing.length > 0)(`behind nginx${missing.length > 0 ? ` (there is no ${missing})` : ""}`, () => {
  let node: TestNode;
  let nginx: ServerProcess;
  let port: number;
  let ca: string;

  beforeAll(async () => {
    const limits = { CONNECT_RATE: "1", CONNECT_BURST: "3", HTTP_RATE: "1", HTTP_BURST: "20" };
    const store = createStore(await openPglite(null), newId);
    node = await startNodeOn(store, new MemoryBroker().join(), { ...limits, TRUST_PROXY: "127.0.0.1" });
    // Who has spent what they may does not get it back while a test runs.
    vi.spyOn(performance, "now").mockReturnValue(0);
    nginx = await prepareServerProcess("nginx", null);
    const place = (name: string) => join(nginx.directory, name);
    const subject = ["-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`];
    const files = ["-keyout", place("key.pem"), "-out", place("certificate.pem")];
    const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files];
    await nginx.run("openssl", made);
    ca = await readFile(place("certificate.pem"), "utf8");
    port = await freePort();
    await writeFile(place("nginx.conf"), configuration(place));
    const executable = spawnSync("sh", ["-c", "command -v nginx"], { env, encoding: "utf8" }).stdout.trim();
    const parameters = [
      "-p",
      nginx.directory,
      "-c",
      place("nginx.conf"),
      "-e",
      place("start.log"),
      "-g",
      "daemon off;",
    ];
    await nginx.start(executable, parameters, async () => {
      expect((await get("/nowhere", "127.0.0.9")).status).toBe(404);
    });
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await nginx?.remove();
    await node?.server.close();
  });

  const open = new Set<WebSocket>();
  afterEach(() => {
    for (const socket of open) socket.terminate();
    open.clear();
  });

  function configuration(place: (name: string) => string): string {
    const replace = (text: string, [what, by]: readonly [string, string]) => {
      if (!text.includes(what)) throw new Error(`the example says nothing of ${what}`);
      return text.replaceAll(what, by);
    };
    const places = [
      ["127.0.0.1:8000", new URL(node.http).host],
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["/etc/ssl/certs/chat.example.pem", place("certificate.pem")],
      ["/etc/ssl/private/chat.example.key", place("key.pem")],
      ["/var/log/nginx/", `${nginx.directory}/`],
    ] as const;
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${place(`${kind}.tmp`)};`,
    );
    return `user root; pid ${place("nginx.pid")}; worker_processes 1; events { worker_connections 256; }
      http { ${temporary.join(" ")}
      ${places.reduce(replace, example)} }`;
  }

  /** `localAddress`: whose request it is; all of 127.0.0.0/8 is this machine. */
  function get(path: string, localAddress: string, headers: Record<string, string> = {}) {
    return new Promise<{ status: number | undefined; headers: Record<string, unknown> }>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path, ca, servername: HOST, localAddress, agent: false };
      const asked = request({ ...options, headers: { host: `${HOST}:${port}`, ...headers } }, (answer) => {
        answer.resume().once("end", () => resolve({ status: answer.statusCode, headers: answer.headers }));
      });
      asked.once("error", reject).end();
    });
  }

  /** Resolves with the first frame, or the status of the refusal. */
  async function connect(path: string, localAddress: string, headers: Record<string, string> = {}) {
    const options = { ca, servername: HOST, localAddress, headers: { host: `${HOST}:${port}`, ...headers } };
    const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, options);
    open.add(socket);
    const messages = on(socket, "message");
    const frame = async (): Promise<unknown> => JSON.parse((await messages.next()).value[0].toString());
    const refused = once(socket, "unexpected-response").then(([, { statusCode }]): unknown => statusCode);
    return { socket, frame, first: await Promise.race([frame(), refused]) };
  }

  it("a socket works, for a page of the same origin", async () => {
    const headers = { origin: `https://${HOST}:${port}`, cookie: `token=${await tokenFor("alice")}` };
    const { socket, frame, first } = await connect("/ws/alice/", "127.0.0.2", headers);
    expect(first).toEqual({ type: "online_user_list", users: [] });
    expect(await frame()).toEqual({ type: "user_join", user: "alice" });
    socket.send(JSON.stringify({ type: "chat_message", message: "through the proxy" }));
    expect(await frame()).toMatchObject({ type: "chat_message", message: "through the proxy", seq: 1 });
    socket.close();
    await once(socket, "close");
    expect((await connect("/ws/alice/", "127.0.0.2", { ...headers, origin: `https://${HOST}` })).first).toBe(403);
  });

  it("clients are told apart by their own addresses, whatever they write into X-Forwarded-For", async () => {
    for (const [forged, expected] of [401, 401, 401, 429].entries()) {
      const headers = { "x-forwarded-for": `192.0.2.${forged}` };
      expect((await connect("/ws/bob/", "127.0.0.3", headers)).first).toBe(expected);
    }
    expect((await connect("/ws/bob/", "127.0.0.4")).first).toBe(401);
    expect((await connect("/ws/bob/", "127.0.0.4", { "x-forwarded-for": "127.0.0.3" })).first).toBe(401);
  });

  it("the page's address is there, with the headers of both; what is for the inside is not", async () => {
    const answer = await get("/api/me", "127.0.0.5");
    expect(answer).toMatchObject({
      status: 401,
      headers: { "strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff" },
    });
    for (const path of ["/metrics", "/metrics/", "/%6detrics", "/healthz", "/readyz?x"]) {
      expect((await get(path, "127.0.0.5")).headers, path).not.toHaveProperty("x-content-type-options");
    }
  });

  // The last one, because nothing stands behind nginx after it.
  it("a token in the URL is in none of its logs, be the server there or not", async () => {
    const token = await tokenFor("carol");
    const path = `/ws/notifications/?token=${token}`;
    expect((await connect(path, "127.0.0.6")).first).toMatchObject({ type: "unread_count" });
    expect((await get(path, "127.0.0.6")).status).toBe(426);
    for (const socket of open) socket.terminate();
    await node.server.close();
    expect((await get(path, "127.0.0.6")).status).toBe(502);
    // Orderly, so that everything is written.
    await nginx.end("SIGQUIT");
    const [access = "", ...errors] = await Promise.all(
      ["parley.access.log", "parley.error.log", "start.log"].map((name) =>
        readFile(join(nginx.directory, name), "utf8"),
      ),
    );
    expect(access).toMatch(/^127\.0\.0\.6 \[\S+\] "GET \/ws\/notifications\/" 101 /m);
    expect(access).toMatch(/^127\.0\.0\.6 \[\S+\] "GET \/ws\/notifications\/" 502 /m);
    for (const part of token.split(".")) expect(access + errors.join("")).not.toContain(part);
  });
});
