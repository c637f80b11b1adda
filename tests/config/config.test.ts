import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../../server/config.ts";
import { startWarnings } from "../../server/start-warnings.ts";

const SECRET = "a secret of rather more than 32 bytes";
const PEM = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();

function problemsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("an empty environment", () => {
  it("gives the defaults", () => {
    expect(loadConfig({})).toEqual({
      environment: "development",
      host: "127.0.0.1",
      port: 8000,
      operations: null,
      hasWebPage: true,
      logLevel: "info",
      dataDirectory: "./data",
      database: null,
      redis: null,
      tokens: null,
      allowedOrigins: { kind: "same_origin" },
      trustedProxies: null,
      apiKey: null,
      maxMessageChars: 10_000,
      maxFrameBytes: 65_536,
      sendRate: 20,
      sendBurst: 60,
      commandRate: 100,
      commandBurst: 500,
      connectRate: 100,
      connectBurst: 1000,
      httpRate: 200,
      httpBurst: 1000,
      maxConnections: 65_536,
      maxConnectionsPerAddress: 16_384,
      maxRequestsPerAddress: 100,
      maxSocketsPerUser: 50,
      maxBufferedBytes: 1_048_576,
      pingSeconds: 25,
      shutdownSeconds: 5,
      maxGroupMembers: 10_000,
      maxMembersPerRequest: 1000,
      maxConversationsPerUser: 10_000,
      groupsPerDay: 200,
      newDirectsPerMinute: 60,
      searchRate: 5,
      searchBurst: 20,
      userDirectory: "all",
      largeRoomMembers: 100,
      maxPageBytes: 1_048_576,
      maxSinceConversations: 1_000,
      resumeLimit: 1000,
    });
  });

  it("is what empty strings and unknown names amount to", () => {
    const environment = { PORT: "", NODE_ENV: "", JWT_SECRET: "", DATABASE_URL: "", SEND_RAET: "x", HOME: "/root" };
    expect(loadConfig(environment)).toEqual(loadConfig({}));
  });
});

it("lets users do as much as they may send, unless it is said how much they may do", () => {
  const generous = { SEND_RATE: "5000", SEND_BURST: "6000" };
  expect(loadConfig(generous)).toMatchObject({ commandRate: 5000, commandBurst: 6000 });
  const said = { COMMAND_RATE: "7", COMMAND_BURST: "8" };
  expect(loadConfig({ ...generous, ...said })).toMatchObject({ commandRate: 7, commandBurst: 8 });
});

describe("one line for each bad value", () => {
  it.each<[string, string, string]>([
    ["PORT", "abc", 'PORT: expected a whole number from 0 to 65535, got "abc"'],
    ["PORT", "65536", 'PORT: expected a whole number from 0 to 65535, got "65536"'],
    ["PORT", "-1", 'PORT: expected a whole number from 0 to 65535, got "-1"'],
    ["PORT", "80.5", 'PORT: expected a whole number from 0 to 65535, got "80.5"'],
    ["PORT", "0x50", 'PORT: expected a whole number from 0 to 65535, got "0x50"'],
    ["SEND_RATE", "0", 'SEND_RATE: expected a whole number from 1 to 2147483647, got "0"'],
    ["CONNECT_RATE", "0", 'CONNECT_RATE: expected a whole number from 1 to 2147483647, or off, got "0"'],
    ["HTTP_RATE", "OFF", 'HTTP_RATE: expected a whole number from 1 to 2147483647, or off, got "OFF"'],
    ["HTTP_BURST", "off", 'HTTP_BURST: expected a whole number from 1 to 2147483647, got "off"'],
    ...["true", "1", "*", "10.0.0.0/0", "10.0.0.0/33", "::/0", "10.0.0.1,", "proxy.example", "10.0.0.1:80"].map(
      (value): [string, string, string] => [
        "TRUST_PROXY",
        value,
        `TRUST_PROXY: expected addresses and ranges such as 10.0.0.0/8 between commas, or loopback, got "${value}"`,
      ],
    ),
    [
      "MAX_GROUP_MEMBERS",
      "99999999999",
      'MAX_GROUP_MEMBERS: expected a whole number from 2 to 2147483647, got "99999999999"',
    ],
    ["WEB_PAGE", "no", 'WEB_PAGE: expected one of on, off, got "no"'],
    ["NODE_ENV", "prod", 'NODE_ENV: expected one of development, test, production, got "prod"'],
    ["LOG_LEVEL", "INFO", 'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "INFO"'],
    ["REDIS_HOST", "redis://localhost", 'REDIS_HOST: expected a host name or address, got "redis://localhost"'],
    ["REDIS_HOST", "localhost:6379", 'REDIS_HOST: expected a host name or address, got "localhost:6379"'],
    ["REDIS_PORT", "6379", "REDIS_PORT: set without REDIS_HOST"],
    [
      "ALLOWED_ORIGINS",
      "https://a.example,b.example",
      'ALLOWED_ORIGINS: expected origins such as https://app.example between commas, or *, got "https://a.example,b.example"',
    ],
    [
      "ALLOWED_ORIGINS",
      "*,https://a.example",
      'ALLOWED_ORIGINS: expected origins such as https://app.example between commas, or *, got "*,https://a.example"',
    ],
    // What may hold a secret is not repeated.
    [
      "DATABASE_URL",
      "mysql://u:pw@h/d",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    [
      "DATABASE_URL",
      "postgres://u:p/w@h/d",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    [
      "DATABASE_URL",
      "postgres://h1:5432,h2:5433/d",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    [
      "DATABASE_URL",
      "postgres://h1,h2/d",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    [
      "DATABASE_URL",
      "postgres://u:p@/d?host=h1,h2",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    [
      "DATABASE_URL",
      "postgres://h/d?schema=a;b",
      "DATABASE_URL: expected postgres://user:password@host:port/database, ?schema= a plain name",
    ],
    ["REDIS_URL", "http://u:pw@h", "REDIS_URL: expected redis://host:port or rediss://host:port"],
    ["REDIS_URL", "redis://", "REDIS_URL: expected redis://host:port or rediss://host:port"],
    ...[
      ...["redis://h/abc", "redis://h/1/2", "redis://h/-1", "redis://h/1x", "redis://h/123456", "redis://h/%31"],
      ...["redis://h?db=3", "redis://h/0?enableOfflineQueue=true", "redis://h?family=5", "redis://h/1#x"],
      ...["redis://u:%zz@h", "redis://:1", "redis:///run/redis.sock", "unix:///run/redis.sock", "/run/redis.sock"],
      ...["redis+sentinel://h", "redis://h:99999", "redis://a:1,b:2"],
    ].map((url): [string, string, string] => [
      "REDIS_URL",
      url,
      "REDIS_URL: expected redis://host:port or rediss://host:port",
    ]),
    [
      "JWT_PUBLIC_KEY",
      "hush",
      "JWT_PUBLIC_KEY: expected a public key in PEM: RSA of at least 2048 bits, P-256 or Ed25519",
    ],
    ["JWT_JWKS_URL", "file:///keys", "JWT_JWKS_URL: expected an http or https URL without user and password"],
    ["JWT_JWKS_URL", "https://u:pw@h/keys", "JWT_JWKS_URL: expected an http or https URL without user and password"],
  ])("%s=%s", (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toEqual([problem]);
  });

  it("all at once", () => {
    const environment = {
      NODE_ENV: "production",
      PORT: "abc",
      PING_SECONDS: "no",
      JWT_SECRET: "short",
      LOG_LEVEL: "x",
    };
    expect(problemsOf(environment)).toHaveLength(4);
    expect(() => loadConfig(environment)).toThrow(problemsOf(environment).join("\n"));
  });
});

describe("the key", () => {
  it("is one of three, and comes with issuer and audience", () => {
    expect(loadConfig({ JWT_SECRET: SECRET, JWT_ISSUER: "me", JWT_AUDIENCE: "you" }).tokens).toEqual({
      key: { kind: "secret", secret: new TextEncoder().encode(SECRET) },
      issuer: "me",
      audience: "you",
    });
    expect(loadConfig({ JWT_PUBLIC_KEY: PEM }).tokens).toMatchObject({ key: { kind: "public_key" }, issuer: null });
    expect(loadConfig({ JWT_JWKS_URL: "https://id.example/keys" }).tokens?.key).toEqual({
      kind: "key_set",
      url: new URL("https://id.example/keys"),
    });
  });

  it("is demanded in production", () => {
    expect(problemsOf({ NODE_ENV: "production" })).toEqual([
      "JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL: production needs one of them to verify tokens with",
    ]);
    expect(problemsOf({ NODE_ENV: "production", JWT_SECRET: SECRET })).toEqual([]);
  });

  it("is but one", () => {
    expect(problemsOf({ JWT_SECRET: SECRET, JWT_PUBLIC_KEY: PEM })).toEqual([
      "JWT_SECRET, JWT_PUBLIC_KEY: only one of them may be set",
    ]);
  });

  it("is a secret of 32 bytes in production, be it shorter elsewhere", () => {
    expect(problemsOf({ NODE_ENV: "production", JWT_SECRET: "x".repeat(31) })).toEqual([
      "JWT_SECRET: expected at least 32 bytes in production",
    ]);
    // Bytes, not characters.
    expect(problemsOf({ NODE_ENV: "production", JWT_SECRET: "ë".repeat(16) })).toEqual([]);
    expect(problemsOf({ NODE_ENV: "test", JWT_SECRET: "x" })).toEqual([]);
  });

  it("of a back end is as long as that", () => {
    const production = { NODE_ENV: "production", JWT_SECRET: SECRET };
    expect(problemsOf({ ...production, API_KEY: "k".repeat(31) })).toEqual([
      "API_KEY: expected at least 32 bytes in production",
    ]);
    expect(problemsOf({ ...production, API_KEY: "k".repeat(32) })).toEqual([]);
    expect(problemsOf({ API_KEY: "k" })).toEqual([]);
  });

  it("set of an issuer needs an audience in production", () => {
    const production = { NODE_ENV: "production", JWT_JWKS_URL: "https://id.example/keys" };
    expect(problemsOf(production)).toEqual([
      expect.stringMatching(/^JWT_AUDIENCE: production needs it with JWT_JWKS_URL/),
    ]);
    expect(problemsOf({ ...production, JWT_AUDIENCE: "parley" })).toEqual([]);
    expect(problemsOf({ JWT_JWKS_URL: "https://id.example/keys" })).toEqual([]);
  });

  it("limits the lifetime of tokens in production", () => {
    expect(loadConfig({ NODE_ENV: "production", JWT_SECRET: SECRET }).tokens?.maxLifetime).toBe(2_592_000);
    expect(loadConfig({ JWT_SECRET: SECRET }).tokens?.maxLifetime).toBeUndefined();
  });
});

describe("what a server says of its settings", () => {
  it.each<[Record<string, string>, RegExp[]]>([
    [{}, []],
    [{ HOST: "localhost" }, []],
    [{ HOST: "0.0.0.0", NODE_ENV: "production", JWT_SECRET: SECRET }, []],
    [{ HOST: "0.0.0.0" }, [/HOST=0\.0\.0\.0 .* set NODE_ENV=production/]],
    [{ HOST: "::", JWT_SECRET: "secret" }, [/HOST=::/, /JWT_SECRET is short/]],
    [{ ALLOWED_ORIGINS: "*", NODE_ENV: "production", JWT_SECRET: SECRET }, [/ALLOWED_ORIGINS=\*/]],
  ])("%j", (environment, warnings) => {
    const said = startWarnings(loadConfig(environment));
    expect(said).toEqual(warnings.map((warning) => expect.stringMatching(warning)));
    expect(said.join()).not.toContain("=secret");
  });
});

describe("DATABASE_URL", () => {
  it.each([
    ["postgres://h/d", "postgres://h/d", null],
    [
      "postgresql://postgres:postgres@localhost:5433/app?schema=public",
      "postgresql://postgres:postgres@localhost:5433/app",
      "public",
    ],
    ["postgres://u:p%2Cw@h/d?schema=Chat_1&sslmode=require", "postgres://u:p%2Cw@h/d?sslmode=require", "Chat_1"],
    ["postgres://u:p,w@h:5432/d?sslmode=require", "postgres://u:p,w@h:5432/d?sslmode=require", null],
    // The folder of PostgreSQL's socket, in each way that it is written.
    ["postgresql://u:p@/d?host=/run/pg", "postgresql://u:p@/d?host=/run/pg", null],
    ["postgresql://u:p@/d?host=/run/pg&schema=chat", "postgresql://u:p@/d?host=%2Frun%2Fpg", "chat"],
    ["postgresql:///d?host=/run/pg&user=u", "postgresql:///d?host=/run/pg&user=u", null],
    ["postgresql://%2Frun%2Fpg/d", "postgresql://%2Frun%2Fpg/d", null],
  ])("%s", (value, url, searchPath) => {
    expect(loadConfig({ DATABASE_URL: value }).database).toEqual({ url, searchPath });
  });
});

describe("Redis", () => {
  it.each([
    [{ REDIS_URL: "rediss://u:pw@h:1" }, "rediss://u:pw@h:1"],
    [{ REDIS_URL: "redis://h/15" }, "redis://h/15"],
    [{ REDIS_URL: "redis://u:p%40%2F@[::1]:6379/2?family=6" }, "redis://u:p%40%2F@[::1]:6379/2?family=6"],
    [{ REDIS_HOST: "localhost" }, "redis://localhost:6379"],
    [{ REDIS_HOST: "localhost", REDIS_PORT: "6382" }, "redis://localhost:6382"],
    [{ REDIS_HOST: "::1" }, "redis://[::1]:6379"],
    [{ REDIS_URL: "redis://a:1", REDIS_HOST: "b", REDIS_PORT: "2" }, "redis://a:1"],
    [{ REDIS_URL: "redis://a:1", REDIS_PORT: "2" }, "redis://a:1"],
  ])("%j", (environment, url) => {
    expect(loadConfig(environment).redis).toEqual({ url, prefix: "parley:" });
  });
});

describe("the rates of arrivals", () => {
  it("may be off", () => {
    const config = loadConfig({ CONNECT_RATE: "off", HTTP_RATE: "7" });
    expect(config).toMatchObject({ connectRate: "off", httpRate: 7 });
  });
});

describe("TRUST_PROXY", () => {
  const trusted = (value: string, address: string) => loadConfig({ TRUST_PROXY: value }).trustedProxies?.has(address);

  it.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "::ffff:10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["192.0.2.0/24, 2001:db8::/32", "192.0.2.255", true],
    ["192.0.2.0/24, 2001:db8::/32", "2001:db8:ffff::1", true],
    ["192.0.2.0/24, 2001:db8::/32", "192.0.3.0", false],
    ["192.0.2.0/24, 2001:db8::/32", "2001:db9::1", false],
    ["loopback", "127.9.9.9", true],
    ["loopback", "::1", true],
    ["loopback", "10.0.0.1", false],
    ["loopback", "unknown", false],
  ])("%s trusts %s: %s", (value, address, expected) => {
    expect(trusted(value, address)).toBe(expected);
  });
});

describe("ALLOWED_ORIGINS", () => {
  it.each([
    ["*", { kind: "any" }],
    ["https://a.example", { kind: "listed", origins: new Set(["https://a.example"]) }],
    [
      "https://A.example:443/ , http://localhost:5173",
      { kind: "listed", origins: new Set(["https://a.example", "http://localhost:5173"]) },
    ],
  ])("%s", (value, expected) => {
    expect(loadConfig({ ALLOWED_ORIGINS: value }).allowedOrigins).toEqual(expected);
  });
});
