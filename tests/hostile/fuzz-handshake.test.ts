/** Upgrade requests made up at random, byte by byte as they stand: paths, headers, tokens, subprotocols, queries. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { closeCodes } from "../../server/protocol/close-codes.ts";
import { errorBody, errorCatalogue } from "../../server/protocol/errors.ts";
import { clientFrame, RawClient } from "../handshake/raw-client.ts";
import { describeOnBoth, type Stack, tokenFor } from "../support/stack.ts";
import { Company, NO_LIMITS, SPEAKERS, type SpeakerName } from "./company.ts";
import { FUZZ_TIMEOUT, fuzz, title } from "./fuzz.ts";
import { objectionTo, type Path } from "./paths.ts";
import { expectOnlyValid } from "./stored.ts";
import { watchForHarm } from "./unharmed.ts";
import { SCRIPTS } from "./values.ts";

type Tampering =
  | { readonly how: "none" | "no signature" | "unsigned" | "another's sub" | "swapped" }
  | { readonly how: "changed" | "cut" | "put in"; readonly at: number; readonly text: string };

interface HandshakeCase {
  readonly path: string;
  readonly query: string;
  readonly place: "header" | "subprotocol" | "query" | "cookie";
  readonly tampering: Tampering;
  readonly headers: Readonly<Record<string, string>>;
}

const tampering: fc.Arbitrary<Tampering> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Tampering>({ how: "none" }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("no signature", "unsigned", "another's sub", "swapped").map((how) => ({ how })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      how: fc.constantFrom("changed", "cut", "put in"),
      at: fc.nat(),
      text: fc.constantFrom("A", "_", ".", "..", "=", "%", "%00", "é", "{}", "a".repeat(3_000)),
    }),
  },
);

const name = fc.oneof(
  fc.constantFrom(
    "@other@",
    "@third@",
    "@self@",
    "@direct@",
    "@group@",
    "@foreign-direct@",
    "@foreign-group@",
    "@message-own@",
  ),
  fc.constantFrom(
    "%",
    "%zz",
    "%E0%A4%A",
    "%ED%A0%80",
    "%00",
    "%2F",
    "..",
    "%2e%2e%2f",
    "notifications",
    "__proto__",
    "a".repeat(2_000),
  ),
  fc.constantFrom(...Object.values(SCRIPTS)).map(encodeURIComponent),
);

const path = fc.oneof(
  { weight: 5, arbitrary: name.map((room) => `/ws/${room}/`) },
  { weight: 2, arbitrary: name.map((room) => `/ws/notifications/${room}/`) },
  { weight: 6, arbitrary: fc.constantFrom("/ws/notifications/", "/ws/notifications", "/chat", "/chat/", "/rooms") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "/",
      "*",
      "//",
      "/ws",
      "/ws/",
      "/ws//",
      "/api/me",
      "http://a.example/chat",
      "/CHAT",
      "/chat%00",
      "/ws/a/b/c",
    ),
  },
);

const position = fc.constantFrom(
  "0",
  "1",
  "-1",
  "1e400",
  "9007199254740993",
  "999999999999999",
  "1e3",
  "0x1",
  "",
  "NaN",
  "٣",
  "[]",
);
const since = fc.oneof(
  position,
  fc
    .tuple(fc.constantFrom("@direct@", "@group@", "@foreign-direct@", "__proto__", "constructor", "%00"), position)
    .map(([id, seq]) => encodeURIComponent(`{"${id}":${seq === "" ? "0" : seq}}`).replaceAll("%40", "@")),
  fc.constantFrom("{", "%7B%7D", "null", "%22", "%ZZ", "[1]", "%7B%22a%22:{}}", "[".repeat(3_000)),
);
const query = fc.oneof(
  { weight: 4, arbitrary: since.map((value) => `since=${value}`) },
  { weight: 1, arbitrary: fc.tuple(since, since).map(([one, other]) => `since=${one}&since=${other}&__proto__=x`) },
  { weight: 2, arbitrary: fc.constantFrom("", "?", "&&", "=", "%", "a=%zz", "token", "toke%6e=", "#a") },
);

const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("7", "", "12", "13, 13", "x").map((version) => ({ "sec-websocket-version": version })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("", "short", "a".repeat(24), "dGhlIHNhbXBsZSBub25jZQ")
      .map((key) => ({ "sec-websocket-key": key })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("https://elsewhere.example", "null", "", "http://loopback", "x y")
      .map((origin) => ({ origin })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("h2c", "WebSocket", "websocket, websocket", "").map((upgrade) => ({ upgrade })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("permessage-deflate", 'permessage-deflate; a="', ";;", "x".repeat(20_000))
      .map((extension) => ({ "sec-websocket-extensions": extension })),
  },
  { weight: 1, arbitrary: fc.constantFrom("\u0000", "a\u0001b", "é€").map((value) => ({ "x-anything": value })) },
);

const cases: fc.Arbitrary<HandshakeCase> = fc.record({
  path,
  query,
  place: fc.constantFrom("header", "subprotocol", "query", "cookie"),
  tampering,
  headers,
});

describeOnBoth("handshakes of every kind", { settings: NO_LIMITS }, (stack) => {
  test(
    title("handshake", "open a socket for who has a valid token, and are refused otherwise"),
    async () => {
      const expectNoHarm = watchForHarm(stack());
      const company = await Company.gather(stack());
      const watch = await company.watch();
      let opened = 0;
      await fuzz("handshake", cases, async (batch) => {
        const outcomes = await Promise.all(
          batch.map((each, index) => tryOne(stack(), company, each, SPEAKERS[index % SPEAKERS.length] ?? "ann")),
        );
        opened += outcomes.filter((outcome) => outcome === "opened").length;
        await watch.expectNothing();
        expectNoHarm();
      });
      expect(opened).toBeGreaterThan(0);
      await expectOnlyValid(stack(), company, { stored: new Set(), refused: new Set() });
    },
    FUZZ_TIMEOUT,
  );
});

async function tryOne(
  stack: Stack,
  company: Company,
  each: HandshakeCase,
  speaker: SpeakerName,
): Promise<"opened" | "refused"> {
  const valid = await tokenFor(speaker);
  const token = tampered(valid, each.tampering);
  const where = company.fill(`${each.path}?${each.query}`, speaker, company.unique(speaker));
  const request = requestWith(each, token, where);
  const client = await RawClient.connect(stack.nodes[0]);
  try {
    client.requestUpgrade(request.path, request.headers);
    const { status, headers: answered } = await client.answer();
    // Without a word in its Upgrade header it is no handshake.
    if (status === 200 && each.headers.upgrade === "") return "refused";
    if (status !== 101) {
      expect(status).toBeLessThan(500);
      expect(answered.get("content-type")).toBe("application/json; charset=utf-8");
      client.socket.end();
      const { error } = errorBody.parse(JSON.parse(await client.rest()));
      // A path that wants an upgrade says so where the request's is another.
      expect(status === 426 ? 400 : status).toBe(errorCatalogue[error.code].status);
      return "refused";
    }
    expect(meaningOf(token), "a token that was tampered with opened a socket").toBe(meaningOf(valid));
    await expectOpening(client, pathOf(each.path), speaker);
    return "opened";
  } catch (error) {
    throw new Error(`${speaker} asked for ${JSON.stringify(request).slice(0, 3_000)}`, { cause: error });
  } finally {
    client.reset();
  }
}

/** The first frames, up to the answer to a ping, or a close with a code that says why. */
async function expectOpening(client: RawClient, on: Path, speaker: SpeakerName): Promise<void> {
  client.socket.write(clientFrame(0x81, on === "chat" || on === "rooms" ? '{"event":"ping"}' : '{"type":"ping"}'));
  for (;;) {
    const { opcode, payload } = await client.frame();
    if (opcode === 0x8) {
      const code = payload.readUInt16BE();
      const known = Object.values(closeCodes).filter(({ code: each }) => each !== 1011 && each !== 1013);
      expect(known.map(({ code: each }) => each as number)).toContain(code);
      return;
    }
    // The heartbeat's pings come when they come.
    if (opcode !== 0x1) continue;
    const frame = JSON.parse(payload.toString());
    expect(objectionTo(on, speaker, frame), payload.toString()).toBeUndefined();
    if (frame.type === "pong" || frame.event === "pong") return;
  }
}

function requestWith({ place, headers: more }: HandshakeCase, token: string, where: string) {
  switch (place) {
    case "header":
      return { path: where, headers: { authorization: `Bearer ${token}`, ...more } };
    case "subprotocol":
      return { path: where, headers: { "sec-websocket-protocol": `bearer, ${token}`, ...more } };
    case "query":
      return { path: where.replace("?", `?token=${token}&`), headers: more };
    case "cookie":
      return { path: where, headers: { cookie: `a=b; token=${token}`, ...more } };
  }
}

function tampered(token: string, how: Tampering): string {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  switch (how.how) {
    case "none":
      return token;
    case "no signature":
      return `${head}.${claims}.`;
    case "unsigned":
      return `${base64({ alg: "none" })}.${claims}.`;
    case "another's sub":
      return `${head}.${base64({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), sub: "warden" })}.${signature}`;
    case "swapped":
      return `${claims}.${head}.${signature}`;
    case "changed":
      return spliced(token, how.at, how.text.length, how.text);
    case "cut":
      return token.slice(0, how.at % token.length);
    case "put in":
      return spliced(token, how.at, 0, how.text);
  }
}

/** The last character of a signature has bits that mean nothing. */
function meaningOf(token: string): string {
  const end = token.lastIndexOf(".");
  return token.slice(0, end) + Buffer.from(token.slice(end), "base64url").toString("hex");
}

function spliced(token: string, at: number, length: number, text: string): string {
  const start = at % token.length;
  return token.slice(0, start) + text + token.slice(start + length);
}

function pathOf(where: string): Path {
  // A request may name its target with the host (RFC 9112, 3.2.2).
  const path = where.replace(/^http:\/\/[^/]+/, "").replace(/\/$/, "");
  if (path === "/chat") return "chat";
  if (path === "/rooms") return "rooms";
  if (path === "/ws/notifications") return "notifications";
  return path.startsWith("/ws/notifications/") ? "conversationNotifications" : "room";
}
