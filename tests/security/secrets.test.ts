/** Tokens and secrets appear in no line of the log, at its finest, and in no answer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTcpProxy } from "../channel-layer/tcp-proxy.ts";
import { RawClient } from "../handshake/raw-client.ts";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";
import { SECRET, tokenFor } from "../support/stack.ts";

/** Ms; a process takes one or two seconds to start, on a loaded machine many. */
const DEADLINE = 60_000;
const API_KEY = "an-api-key-that-nobody-may-see";
const PASSWORD = "a-password-that-nobody-may-see";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-test-data-"));
});
// Registered before the end of the processes, hence run after it: what they still write is removed too.
afterEach(() => rm(directory, { recursive: true, force: true }));
endProcessesAfterEach();

/** Everything that was said while a server was spoken to, by it and by its log. */
interface Said {
  readonly answers: string;
  readonly log: string;
}

type Place = (token: string) => { readonly query?: string; readonly headers?: Record<string, string> };

/** Wherever a token may stand, or somebody may put it. */
const PLACES: Record<string, Place> = {
  query: (token) => ({ query: `?since=0&token=${token}` }),
  "query, the name encoded": (token) => ({ query: `?%74oken=${token}` }),
  header: (token) => ({ headers: { authorization: `Bearer ${token}` } }),
  subprotocol: (token) => ({ headers: { "sec-websocket-protocol": `bearer, ${token}` } }),
  cookie: (token) => ({ headers: { cookie: `token=${token}` } }),
};

interface Handshake {
  readonly path: string;
  readonly headers?: Record<string, string>;
}

/** Each ends in another way, or breaks in another place. */
const HANDSHAKES: Record<string, Handshake> = {
  "the badge": { path: "/ws/notifications/" },
  "a room": { path: "/ws/alice/" },
  "no such room": { path: "/ws/nobody/" },
  "no such path": { path: "/nowhere/" },
  "a path that is none": { path: "/ws/%zz/" },
  "a foreign origin": { path: "/ws/alice/", headers: { origin: "https://evil.example" } },
  "a broken key": { path: "/ws/alice/", headers: { "sec-websocket-key": "short" } },
  "another version": { path: "/ws/alice/", headers: { "sec-websocket-version": "12" } },
  "no HTTP": { path: "/ws/alice/", headers: { "x y": "z" } },
  "too much": { path: "/ws/alice/", headers: { "x-large": "x".repeat(20_000) } },
};

/** The first line of the answer and its body; an open socket is left again. */
async function exchange(server: ServerProcess, path: string, headers: Record<string, string>): Promise<string> {
  const client = await RawClient.connect({ http: await server.address });
  client.requestUpgrade(path, headers);
  const { status, headers: answered } = await client.answer();
  if (status === 101) client.reset();
  return [status, ...[...answered].flat(), await client.rest()].join("\n");
}

async function speakTo(server: ServerProcess, tokens: readonly string[]): Promise<Said> {
  const address = await server.address;
  const answers: string[] = [];
  for (const token of tokens) {
    for (const place of Object.values(PLACES)) {
      const { query = "", headers } = place(token);
      for (const handshake of Object.values(HANDSHAKES)) {
        answers.push(await exchange(server, `${handshake.path}${query}`, { ...headers, ...handshake.headers }));
      }
      for (const path of ["/api/me", "/api/rooms/alice/messages", "/nowhere", "/ws/alice/", "/"]) {
        const { "sec-websocket-protocol": _, ...http } = headers ?? {};
        const answer = await fetch(`${address}${path}${query}`, { headers: http });
        answers.push([...answer.headers].flat().join("\n"), await answer.text());
      }
    }
  }
  // What is written last is there when it has stopped.
  await server.end("SIGTERM");
  return { answers: answers.join("\n"), log: server.output.join("\n") };
}

/** No part of a token: its signature alone would do with a payload that can be guessed. */
function expectNothingOf(said: string, tokens: readonly string[]): void {
  for (const part of tokens.flatMap((token) => token.split("."))) {
    if (part.length <= 5) continue;
    expect(said).not.toContain(part);
    // As the log shows bytes.
    expect(said).not.toContain([...Buffer.from(part)].join(","));
  }
  for (const secret of [SECRET, API_KEY, PASSWORD]) expect(said).not.toContain(secret);
}

test("a token is told by nobody, wherever it stood and however it was answered", {
  timeout: 2 * DEADLINE,
}, async () => {
  const server = startProcess({ DATA_DIR: directory, LOG_LEVEL: "trace", API_KEY });
  const tokens = [
    await tokenFor("alice"),
    await tokenFor("alice", {}, -60),
    "rubbish.rubbish-payload.rubbish-signature",
  ];
  const { answers, log } = await speakTo(server, tokens);
  for (const status of [101, 400, 401, 403, 404, 413]) expect(answers).toMatch(new RegExp(`^${status}$`, "m"));
  expect(log).toContain("a malformed request");
  expectNothingOf(log, tokens);
  expectNothingOf(answers, tokens);
});

test("a token is told by nobody when it could not be verified", { timeout: DEADLINE }, async () => {
  // A port that nothing listens on: the keys cannot be fetched.
  const settings = { JWT_SECRET: "", JWT_JWKS_URL: "http://127.0.0.1:1/keys", API_KEY };
  const server = startProcess({ DATA_DIR: directory, LOG_LEVEL: "trace", ...settings });
  const tokens = [await tokenFor("alice")];
  const rs256 = Buffer.from('{"alg":"RS256","kid":"unknown"}').toString("base64url");
  const unverified = tokens.map((token) => [rs256, ...token.split(".").slice(1)].join("."));
  const { answers, log } = await speakTo(server, unverified);
  expect(answers).toMatch(/^503$/m);
  expect(log).toContain("a request could not be served");
  expect(log).toContain("/ws/alice/?since=0&token=[redacted]");
  expectNothingOf(log, unverified);
  expectNothingOf(answers, unverified);
});

describe.skipIf(postgresUrl === undefined)(
  `with PostgreSQL${postgresUrl === undefined ? `: ${servicesMissing}` : ""}`,
  () => {
    test("neither a token nor the password is told when storage goes away", { timeout: DEADLINE }, async () => {
      const database = await freshDatabase();
      const url = new URL(database.url);
      const proxy = await startTcpProxy(new URL(database.url));
      url.port = `${proxy.port}`;
      url.hostname = "127.0.0.1";
      // Where the database asks for none, it is given all the same.
      url.password ||= PASSWORD;
      url.username ||= "postgres";
      try {
        const server = startProcess({ DATABASE_URL: url.href, LOG_LEVEL: "trace", API_KEY });
        await server.address;
        proxy.cut();
        const tokens = [await tokenFor("alice")];
        const { answers, log } = await speakTo(server, tokens);
        expect(answers).toMatch(/^503$/m);
        expect(log).toContain("a request could not be served");
        for (const said of [answers, log]) {
          expectNothingOf(said, tokens);
          expect(said).not.toContain(url.password);
        }
      } finally {
        await proxy.close();
        await database.drop();
      }
    });
  },
);

describe("a server that does not start", () => {
  const unreachable = "127.0.0.1:1";
  test.each<[string, Record<string, string>]>([
    ["a database out of reach", { DATABASE_URL: `postgres://parley:${PASSWORD}@${unreachable}/parley` }],
    ["a database's URL that is none", { DATABASE_URL: `mysql://parley:${PASSWORD}@${unreachable}/parley` }],
    ["a schema that is none", { DATABASE_URL: `postgres://parley:${PASSWORD}@${unreachable}/parley?schema=a;b` }],
    ["Redis out of reach", { REDIS_URL: `redis://parley:${PASSWORD}@${unreachable}` }],
    ["a URL of Redis that is none", { REDIS_URL: `https://parley:${PASSWORD}@${unreachable}` }],
    ["a secret too short", { NODE_ENV: "production", JWT_SECRET: "short-hush" }],
    ["a key that is none", { JWT_SECRET: "", JWT_PUBLIC_KEY: `-----BEGIN PRIVATE KEY-----\n${PASSWORD}` }],
    ["two keys", { JWT_PUBLIC_KEY: PASSWORD }],
    ["a key set behind a password", { JWT_SECRET: "", JWT_JWKS_URL: `https://parley:${PASSWORD}@id.example/keys` }],
    ["an API key with a blank", { API_KEY: `${API_KEY} ${PASSWORD}` }],
  ])("says why, and no secret: %s", { timeout: DEADLINE }, async (_why, settings) => {
    const server = startProcess({ DATA_DIR: directory, LOG_LEVEL: "trace", API_KEY, ...settings });
    expect(await server.exited).toEqual({ code: 1, signal: null });
    const log = server.output.join("\n");
    expect(log).not.toBe("");
    expectNothingOf(log, []);
    expect(log).not.toContain("hush");
  });
});
