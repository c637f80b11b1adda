/**
 * Every setting there is: name, form, default and description, declared here alone. `.env.example` is written from it.
 */
import { z } from "zod";
import { PUBLIC_KEY_EXPECTED, parsePublicKey } from "./auth/keys.ts";
import { type AllowedOrigins, parseOrigin } from "./auth/origin.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

const MAX_INT = 2 ** 31 - 1;

function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected);
}

/** A string that `parse` makes a `T` of; null from it means that the string is not as expected. */
function parsed<T>(parse: (text: string) => T | null, expected: string) {
  return z.string().transform((value, context): T => {
    const result = parse(value);
    if (result !== null) return result;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}

/** A second; `off` for no limit. */
function rate() {
  return parsed((text): number | "off" | null => {
    if (text === "off") return text;
    return /^[1-9]\d{0,9}$/.test(text) && Number(text) <= MAX_INT ? Number(text) : null;
  }, `expected a whole number from 1 to ${MAX_INT}, or off`);
}

function oneOf<const T extends string>(words: readonly [T, ...T[]]) {
  return z.enum(words, `expected one of ${words.join(", ")}`);
}

export const settings = z.object({
  NODE_ENV: oneOf(["development", "test", "production"])
    .default("development")
    .describe("development, test or production; production insists on a key to verify tokens with"),
  HOST: z
    .string()
    .default("127.0.0.1")
    .describe("address to listen on; 0.0.0.0 or :: for every network of the machine"),
  PORT: wholeNumber(0, 65_535).default(8000).describe("TCP port to listen on; 0 takes a free one"),
  OPERATIONS_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe("TCP port that /metrics, /readyz, /healthz and /docs are on, and nowhere else; empty: PORT"),
  OPERATIONS_HOST: z.string().default("127.0.0.1").describe("address that goes with OPERATIONS_PORT"),
  WEB_PAGE: oneOf(["on", "off"]).default("on").describe("on or off: whether / is a page to chat on"),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info")
    .describe("fatal, error, warn, info, debug, trace or silent"),

  DATA_DIR: z.string().default("./data").describe("directory of the embedded database and of the development secret"),
  DATABASE_URL: parsed(parseDatabaseUrl, "expected postgres://user:password@host:port/database, ?schema= a plain name")
    .optional()
    .describe("PostgreSQL; a schema parameter is the search path; empty: embedded PostgreSQL under DATA_DIR"),
  REDIS_URL: parsed(parseRedisUrl, "expected redis://host:port or rediss://host:port")
    .optional()
    .describe(
      "Redis between nodes; may end in /number, its database; goes before REDIS_HOST; empty, and REDIS_HOST too: one node on its own",
    ),
  REDIS_HOST: z
    .string()
    .refine((host) => !/[\s/@?#]/.test(host) && URL.canParse(redisUrl(host, 6379)), "expected a host name or address")
    .optional()
    .describe("Redis by host, in place of REDIS_URL"),
  REDIS_PORT: wholeNumber(1, 65_535).optional().describe("port that goes with REDIS_HOST; empty: 6379"),
  REDIS_PREFIX: z
    .string()
    .default("parley:")
    .describe("begins every key and channel in Redis, so that it can be shared; so does the database's number, but 0"),

  JWT_SECRET: z
    .string()
    .optional()
    .describe("verifies HS256 tokens: the text itself, at least 32 bytes in production. Set one of these three"),
  JWT_PUBLIC_KEY: parsed(parsePublicKey, PUBLIC_KEY_EXPECTED)
    .optional()
    .describe("verifies RS256, ES256 or EdDSA tokens: PEM, line ends may be written \\n"),
  JWT_JWKS_URL: parsed(parseKeySetUrl, "expected an http or https URL without user and password")
    .optional()
    .describe("verifies RS256, ES256 or EdDSA tokens: URL of the issuer's JSON Web Key Set"),
  JWT_ISSUER: z.string().optional().describe("what a token's iss must be; empty: not checked"),
  JWT_AUDIENCE: z
    .string()
    .optional()
    .describe("what a token's aud must be or contain; empty: not checked; production needs it with JWT_JWKS_URL"),
  MAX_TOKEN_LIFETIME: wholeNumber(1, MAX_INT)
    .default(2_592_000)
    .describe("seconds that a token's exp may lie ahead, in production, where it has to be there"),
  ALLOWED_ORIGINS: parsed(parseAllowedOrigins, "expected origins such as https://app.example between commas, or *")
    .optional()
    .describe(
      "origins of web pages that may open sockets, between commas; * any, without cookies; empty: the server's own",
    ),
  TRUST_PROXY: parsed(
    TrustedProxies.parse,
    "expected addresses and ranges such as 10.0.0.0/8 between commas, or loopback",
  )
    .optional()
    .describe(
      "proxies whose X-Forwarded-For is believed: addresses, CIDR ranges, loopback, between commas; empty: none",
    ),
  API_KEY: z
    .string()
    .regex(/^\S+$/, "expected no blanks, which a Bearer header cannot carry")
    .optional()
    .describe(
      "lets a backend provision users (PUT /api/users/:id), at least 32 bytes in production; empty: no such route",
    ),
  USER_DIRECTORY: oneOf(["all", "contacts", "off"])
    .default("all")
    .describe("all, contacts or off: who is found by a search: all users, who shares a conversation with one, nobody"),

  MAX_MESSAGE_CHARS: wholeNumber(1, 1_000_000).default(10_000).describe("code points of a message's text"),
  MAX_FRAME_BYTES: wholeNumber(1024, MAX_INT).default(65_536).describe("bytes of a client's frame or HTTP body"),
  SEND_RATE: wholeNumber(1, MAX_INT)
    .default(20)
    .describe("messages, their changes and changes of groups a second, for a user"),
  SEND_BURST: wholeNumber(1, MAX_INT).default(60).describe("how many of them may come at once"),
  COMMAND_RATE: wholeNumber(1, MAX_INT)
    .default(100)
    .describe("units of work a second, for a user: all frames and requests by their cost; unset: at least SEND_RATE"),
  COMMAND_BURST: wholeNumber(1, MAX_INT)
    .default(500)
    .describe("how many of them may come at once; unset: at least SEND_BURST"),
  SEARCH_RATE: wholeNumber(1, MAX_INT).default(5).describe("searches for users a second, for a user"),
  SEARCH_BURST: wholeNumber(1, MAX_INT).default(20).describe("how many of them may come at once"),
  CONNECT_RATE: rate()
    .default(100)
    .describe("attempts to open a socket a second, for an IPv4 address or IPv6 /64; off: any"),
  CONNECT_BURST: wholeNumber(1, MAX_INT).default(1000).describe("how many of them may come at once"),
  HTTP_RATE: rate().default(200).describe("other HTTP requests a second, for an IPv4 address or IPv6 /64; off: any"),
  HTTP_BURST: wholeNumber(1, MAX_INT).default(1000).describe("how many of them may come at once"),
  MAX_CONNECTIONS: wholeNumber(1, MAX_INT)
    .default(65_536)
    .describe("TCP connections of a node, sockets among them; more are closed at once"),
  MAX_CONNECTIONS_PER_ADDRESS: rate()
    .default(16_384)
    .describe("TCP connections of an IPv4 address or IPv6 /64 that is not in TRUST_PROXY; off: any"),
  MAX_REQUESTS_PER_ADDRESS: wholeNumber(1, MAX_INT)
    .default(100)
    .describe("HTTP requests of an address that are answered at a time; ten times as many wait"),
  MAX_SOCKETS_PER_USER: wholeNumber(1, MAX_INT).default(50).describe("open sockets of one user"),
  MAX_BUFFERED_BYTES: wholeNumber(1024, MAX_INT)
    .default(1_048_576)
    .describe("bytes that may wait for one slow socket before it is closed"),
  PING_SECONDS: wholeNumber(1, 3600).default(25).describe("seconds between pings; dead after two without an answer"),
  SHUTDOWN_SECONDS: wholeNumber(0, 3600)
    .default(5)
    .describe("seconds over which a server that stops closes its sockets; 0: all at once"),
  MAX_GROUP_MEMBERS: wholeNumber(2, MAX_INT).default(10_000).describe("members of a group"),
  MAX_MEMBERS_PER_REQUEST: wholeNumber(1, MAX_INT)
    .default(1000)
    .describe("members that a group is made with or that are added to it at once"),
  MAX_CONVERSATIONS_PER_USER: wholeNumber(1, MAX_INT - 1)
    .default(10_000)
    .describe("conversations that one user is in, direct ones and groups"),
  GROUPS_PER_DAY: wholeNumber(1, MAX_INT).default(200).describe("groups that one user makes within 24 hours"),
  NEW_DIRECTS_PER_MINUTE: wholeNumber(1, MAX_INT)
    .default(60)
    .describe("direct conversations that one user begins in a minute, and at once"),
  LARGE_ROOM_MEMBERS: wholeNumber(1, MAX_INT)
    .default(100)
    .describe("beyond so many members, joins, typing and read marks are not broadcast"),
  MAX_PAGE_BYTES: wholeNumber(1024, MAX_INT)
    .default(1_048_576)
    .describe("bytes of messages and members that are read from storage, and answered with, at a time"),
  MAX_SINCE_CONVERSATIONS: wholeNumber(1, MAX_INT)
    .default(1000)
    .describe("conversations that a client may resume in on one socket"),
  RESUME_LIMIT: wholeNumber(1, MAX_INT).default(1000).describe("changes that are replayed to a client that resumes"),
});

export type Settings = z.infer<typeof settings>;

/** Their values are kept out of error messages: they are secrets or may contain a password. */
export const SECRET_SETTINGS: ReadonlySet<string> = new Set<keyof Settings>([
  "DATABASE_URL",
  "REDIS_URL",
  "JWT_SECRET",
  "JWT_PUBLIC_KEY",
  "JWT_JWKS_URL",
  "API_KEY",
]);

export interface Database {
  /** As it was set, without the `schema` parameter, which is ours. */
  readonly url: string;
  /** Name of one schema, in the spelling it was given, hence to be quoted; null: the database's own search path. */
  readonly searchPath: string | null;
}

/** Taken apart here, so that all but the `schema` stays as it was written. */
const DATABASE_URL = /^(postgres(?:ql)?:\/\/)([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/;

/** One plain name: the seldom others would need quoting rules inside a URL. */
const SCHEMA_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

function parseDatabaseUrl(text: string): Database | null {
  const [, scheme, authority = "", path = "", query = ""] = DATABASE_URL.exec(text) ?? [];
  // `user:password@` and no host: it is in the query, as the folder of PostgreSQL's socket, or it is this machine.
  const host = authority.endsWith("@") ? "localhost" : "";
  if (scheme === undefined || !URL.canParse(`${scheme}${authority}${host}${path}`)) return null;
  const parameters = new URLSearchParams(query);
  // Of several hosts, of which libpq would take the first that answers, the driver makes one long name.
  const hosts = [authority.slice(authority.lastIndexOf("@") + 1), ...parameters.getAll("host")];
  if (hosts.some((name) => name.includes(","))) return null;
  const searchPath = parameters.get("schema");
  if (searchPath === null) return { url: text, searchPath };
  if (!SCHEMA_NAME.test(searchPath)) return null;
  parameters.delete("schema");
  const kept = parameters.size === 0 ? "" : `?${parameters}`;
  return { url: `${scheme}${authority}${path}${kept}`, searchPath };
}

/**
 * TCP, with or without TLS, a database by its number, and of ioredis' options the address family alone: it would take all of
 * its options from the query, those among them that must be as they are here. Sockets of the file system are not supported.
 */
function parseRedisUrl(text: string): string | null {
  if (!/^rediss?:\/\/[^/?#]/.test(text) || !URL.canParse(text)) return null;
  const { hostname, pathname, search, hash, username, password } = new URL(text);
  const isWellFormed = /^(\/\d{0,5})?$/.test(pathname) && /^(\?family=[46])?$/.test(search) && hash === "";
  return hostname !== "" && isWellFormed && isDecodable(username) && isDecodable(password) ? text : null;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function redisUrl(host: string, port: number): string {
  return `redis://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parseKeySetUrl(text: string): URL | null {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  // fetch refuses them, at the first token; better said at start.
  return url.username + url.password === "" ? url : null;
}

function parseAllowedOrigins(text: string): AllowedOrigins | null {
  if (text.trim() === "*") return { kind: "any" };
  const origins = new Set<string>();
  for (const entry of text.split(",")) {
    const origin = parseOrigin(entry.trim());
    if (origin === null) return null;
    origins.add(origin);
  }
  return { kind: "listed", origins };
}

/** The text of `.env.example`: each setting under its description, with its default or, where it has none, empty. */
export function environmentExample(): string {
  const paragraphs = [
    "# Copy to .env and change what you need. The environment goes before the file; empty means unset.",
  ];
  for (const [name, setting] of Object.entries(settings.shape)) {
    paragraphs.push(`# ${setting.description}\n${name}=${setting.parse(undefined) ?? ""}`);
  }
  return `${paragraphs.join("\n\n")}\n`;
}
