/** The server's configuration: the settings of an environment, checked one by one and against each other. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { z } from "zod";
import { secretKey, type TokenSettings, type VerificationKey } from "./auth/keys.ts";
import type { AllowedOrigins } from "./auth/origin.ts";
import { redisUrl, SECRET_SETTINGS, type Settings, settings } from "./settings.ts";

/** One line for each value that is wrong, beginning with the name of its setting. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const KEY_SETTINGS = ["JWT_SECRET", "JWT_PUBLIC_KEY", "JWT_JWKS_URL"] as const;

/** RFC 7518, 3.2: a key for HS256 has at least the 256 bits of its hash. No other secret is weaker. */
const MIN_SECRET_BYTES = 32;

/** Read-only, and complete: whatever is null here was decided by leaving it unset. */
export type Config = Readonly<ReturnType<typeof configOf>>;

/**
 * The settings of `environment`, where an empty string is the same as nothing. Names it does not know are not looked at.
 *
 * @throws ConfigError with one line for each value that is wrong
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
  const given: NodeJS.ProcessEnv = {};
  for (const name of Object.keys(settings.shape)) {
    if (environment[name] !== "") given[name] = environment[name];
  }
  const result = settings.safeParse(given);
  const problems = [...(result.error?.issues ?? []).map((issue) => problemOf(issue, given)), ...contradictions(given)];
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return configOf(result.data, given);
}

function problemOf(issue: z.core.$ZodIssue, given: NodeJS.ProcessEnv): string {
  const name = String(issue.path[0]);
  const got = SECRET_SETTINGS.has(name) ? "" : `, got ${JSON.stringify(given[name])}`;
  return `${name}: ${issue.message}${got}`;
}

/** What is wrong between settings. Looks at the text, so that it is found beside values that are wrong by themselves. */
function contradictions(given: NodeJS.ProcessEnv): string[] {
  const problems: string[] = [];
  const isProduction = given.NODE_ENV === "production";
  const keys = KEY_SETTINGS.filter((name) => given[name] !== undefined);
  if (isProduction && keys.length === 0) {
    problems.push("JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL: production needs one of them to verify tokens with");
  }
  if (keys.length > 1) problems.push(`${keys.join(", ")}: only one of them may be set`);
  // A short secret is let pass in development, where a tutorial's `JWT_SECRET=secret` protects nothing yet.
  for (const name of ["JWT_SECRET", "API_KEY"]) {
    if (isProduction && given[name] !== undefined && isShortSecret(given[name])) {
      problems.push(`${name}: expected at least ${MIN_SECRET_BYTES} bytes in production`);
    }
  }
  // An issuer's key set verifies its tokens for every application there is.
  if (isProduction && given.JWT_JWKS_URL !== undefined && given.JWT_AUDIENCE === undefined) {
    problems.push(
      "JWT_AUDIENCE: production needs it with JWT_JWKS_URL, or tokens for other applications are good here",
    );
  }
  if (given.REDIS_PORT !== undefined && given.REDIS_HOST === undefined && given.REDIS_URL === undefined) {
    problems.push("REDIS_PORT: set without REDIS_HOST");
  }
  return problems;
}

export function isShortSecret(secret: string): boolean {
  return Buffer.byteLength(secret) < MIN_SECRET_BYTES;
}

const SAME_ORIGIN: AllowedOrigins = { kind: "same_origin" };

function configOf(set: Settings, given: NodeJS.ProcessEnv) {
  return {
    environment: set.NODE_ENV,
    host: set.HOST,
    port: set.PORT,
    /** Null: the operator's routes are on the same port as all others. */
    operations: set.OPERATIONS_PORT === undefined ? null : { host: set.OPERATIONS_HOST, port: set.OPERATIONS_PORT },
    /** Whether the web page is served, where it was built. */
    hasWebPage: set.WEB_PAGE === "on",
    logLevel: set.LOG_LEVEL,
    dataDirectory: set.DATA_DIR,
    /** Null: embedded PostgreSQL under the data directory. */
    database: set.DATABASE_URL ?? null,
    /** Null: the channel layer stays in this process, and the node is the only one. */
    redis: redisOf(set),
    /**
     * Null, never in production: the server verifies with its own development secret. JWT_ISSUER and JWT_AUDIENCE then
     * have no tokens of an issuer's to be checked on.
     */
    tokens: tokensOf(set),
    allowedOrigins: set.ALLOWED_ORIGINS ?? SAME_ORIGIN,
    /** Null: whoever connects is the client. */
    trustedProxies: set.TRUST_PROXY ?? null,
    /** Null: users cannot be provisioned. */
    apiKey: set.API_KEY ?? null,
    /** Code points. */
    maxMessageChars: set.MAX_MESSAGE_CHARS,
    maxFrameBytes: set.MAX_FRAME_BYTES,
    /** A second, for a user. */
    sendRate: set.SEND_RATE,
    sendBurst: set.SEND_BURST,
    /** Units of work a second, for a user. Who lets users send more means that they can, unless they say otherwise. */
    commandRate: given.COMMAND_RATE === undefined ? Math.max(set.COMMAND_RATE, set.SEND_RATE) : set.COMMAND_RATE,
    commandBurst: given.COMMAND_BURST === undefined ? Math.max(set.COMMAND_BURST, set.SEND_BURST) : set.COMMAND_BURST,
    /** Searches for users, a second, for a user. */
    searchRate: set.SEARCH_RATE,
    searchBurst: set.SEARCH_BURST,
    /** Who is found by them. */
    userDirectory: set.USER_DIRECTORY,
    /** A second, for a client network. */
    connectRate: set.CONNECT_RATE,
    connectBurst: set.CONNECT_BURST,
    httpRate: set.HTTP_RATE,
    httpBurst: set.HTTP_BURST,
    maxConnections: set.MAX_CONNECTIONS,
    maxConnectionsPerAddress: set.MAX_CONNECTIONS_PER_ADDRESS,
    /** Under way at a time. */
    maxRequestsPerAddress: set.MAX_REQUESTS_PER_ADDRESS,
    maxSocketsPerUser: set.MAX_SOCKETS_PER_USER,
    maxBufferedBytes: set.MAX_BUFFERED_BYTES,
    pingSeconds: set.PING_SECONDS,
    shutdownSeconds: set.SHUTDOWN_SECONDS,
    maxGroupMembers: set.MAX_GROUP_MEMBERS,
    maxMembersPerRequest: set.MAX_MEMBERS_PER_REQUEST,
    maxConversationsPerUser: set.MAX_CONVERSATIONS_PER_USER,
    groupsPerDay: set.GROUPS_PER_DAY,
    newDirectsPerMinute: set.NEW_DIRECTS_PER_MINUTE,
    /** A room with more members is large. */
    largeRoomMembers: set.LARGE_ROOM_MEMBERS,
    maxPageBytes: set.MAX_PAGE_BYTES,
    maxSinceConversations: set.MAX_SINCE_CONVERSATIONS,
    /** Changes. */
    resumeLimit: set.RESUME_LIMIT,
  };
}

function redisOf(set: Settings): { readonly url: string; readonly prefix: string } | null {
  const url =
    set.REDIS_URL ?? (set.REDIS_HOST === undefined ? undefined : redisUrl(set.REDIS_HOST, set.REDIS_PORT ?? 6379));
  return url === undefined ? null : { url, prefix: set.REDIS_PREFIX };
}

function tokensOf(set: Settings): TokenSettings | null {
  const key = keyOf(set);
  if (key === null) return null;
  return {
    key,
    issuer: set.JWT_ISSUER ?? null,
    audience: set.JWT_AUDIENCE ?? null,
    // In development a token that lasts is a convenience.
    ...(set.NODE_ENV === "production" && { maxLifetime: set.MAX_TOKEN_LIFETIME }),
  };
}

function keyOf(set: Settings): VerificationKey | null {
  if (set.JWT_SECRET !== undefined) return secretKey(set.JWT_SECRET);
  if (set.JWT_PUBLIC_KEY !== undefined) return { kind: "public_key", ...set.JWT_PUBLIC_KEY };
  if (set.JWT_JWKS_URL !== undefined) return { kind: "key_set", url: set.JWT_JWKS_URL };
  return null;
}

/**
 * The settings that an environment file holds; none when there is no such file. Not `process.loadEnvFile`, which says of a
 * file it may not read that there is none.
 *
 * @example loadConfig({ ...readEnvironmentFile(".env"), ...process.env })
 * @throws ConfigError when the file is there and cannot be read
 */
export function readEnvironmentFile(path: string): NodeJS.ProcessEnv {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ("code" in error && error.code === "ENOENT") return {};
    throw new ConfigError([`${path}: ${error.message}`]);
  }
}
