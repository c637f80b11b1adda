/** The house keeps its shape: who may import whom, how long a file is, and what is not written in one. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

interface Part {
  /** Folders (`server/core/`) and files of the part. */
  readonly holds: readonly string[];
  /** What of ours it may import beside itself. A folder means all that is in it. */
  readonly ours: readonly string[];
  /** Packages it may import; `node:` modules everybody may that runs on Node alone. */
  readonly packages: readonly string[];
  readonly why: string;
}

const CHANNEL_LAYER = "server/channel-layer/layer.ts";
const TRUSTED_PROXIES = "server/trusted-proxies.ts";
const MESSAGE_DRAFT = "server/message-draft.ts";
const NOTICES = "server/notices.ts";
const CLIENT_NETWORK = "server/client-network.ts";

/**
 * Imports run one way. Every file under `server/`, `db/`, `client/` and `web/` is in exactly one of these parts, so that a
 * new file has to say where it belongs.
 */
const PARTS: Record<string, Part> = {
  core: {
    holds: ["server/core/"],
    ours: [],
    packages: [],
    why: "the rules of conversations know no frame, no socket, no SQL, no Redis",
  },
  protocol: {
    holds: ["server/protocol/"],
    ours: [],
    packages: ["zod"],
    why: "the wire, declared once: clients and tests import it without the server",
  },
  db: {
    holds: ["db/"],
    ours: ["server/core/"],
    packages: ["drizzle-orm", "pg", "@electric-sql/pglite"],
    why: "implements the core's port, the store",
  },
  "channel layer": {
    holds: ["server/channel-layer/"],
    ours: ["server/core/"],
    packages: ["ioredis"],
    why: "carries strings between nodes and knows no conversation",
  },
  ids: {
    holds: ["server/new-id.ts"],
    ours: [],
    packages: ["uuid"],
    why: "handed to those who need an id by the composition root",
  },
  "message draft": {
    holds: [MESSAGE_DRAFT],
    ours: ["server/core/", "server/protocol/"],
    packages: ["zod"],
    why: "one reading of a sent message's fields for the sockets and HTTP",
  },
  arrivals: {
    holds: ["server/arrivals.ts", CLIENT_NETWORK, TRUSTED_PROXIES],
    ours: ["server/core/"],
    packages: [],
    why: "who comes, from where, and how often: addresses, no requests",
  },
  transport: {
    holds: ["server/transport/"],
    ours: ["server/core/", "server/protocol/close-codes.ts", CHANNEL_LAYER],
    packages: ["ws"],
    why: "delivers events and bytes in no dialect",
  },
  consumers: {
    holds: ["server/consumers/"],
    ours: ["server/core/", "server/protocol/", "server/transport/", MESSAGE_DRAFT, CHANNEL_LAYER],
    packages: ["zod"],
    why: "the dialects: frames on one side, the core's commands and events on the other",
  },
  auth: {
    holds: ["server/auth/"],
    ours: ["server/core/", "server/protocol/", CLIENT_NETWORK],
    packages: ["fastify", "jose", "zod"],
    why: "says who is speaking, to sockets and HTTP alike",
  },
  http: {
    holds: ["server/http/"],
    ours: [
      ...["server/core/", "server/protocol/", "server/auth/", "server/arrivals.ts"],
      ...[MESSAGE_DRAFT, CHANNEL_LAYER, TRUSTED_PROXIES, CLIENT_NETWORK, NOTICES],
    ],
    packages: ["fastify", "@fastify/swagger", "fastify-type-provider-zod", "prom-client", "zod"],
    why: "the REST routes over the same core, and the page's files",
  },
  settings: {
    holds: ["server/settings.ts", "server/config.ts"],
    ours: ["server/auth/", TRUSTED_PROXIES],
    packages: ["zod"],
    why: "every setting, read and checked before anything starts",
  },
  routing: {
    holds: ["server/routing.ts"],
    ours: ["server/consumers/"],
    packages: [],
    why: "which consumer speaks on which path",
  },
  sockets: {
    holds: ["server/sockets.ts"],
    ours: [
      ...["server/routing.ts", "server/consumers/", "server/core/", "server/auth/", "server/transport/"],
      ...[NOTICES],
    ],
    packages: ["fastify", "@fastify/swagger", "ws"],
    why: "from an upgrade request to a consumer on a connection",
  },
  metrics: {
    holds: ["server/metrics.ts"],
    ours: ["server/http/errors.ts", "server/core/", "server/transport/", CHANNEL_LAYER],
    packages: ["prom-client"],
    why: "counts what the parts say they did",
  },
  shutdown: {
    holds: ["server/shutdown.ts"],
    ours: [
      ...["server/core/", "server/transport/", CHANNEL_LAYER],
      ...["server/http/requests-in-flight.ts", "server/http/upgrades.ts"],
    ],
    packages: ["fastify"],
    why: "in which order the parts stop; it makes none of them",
  },
  "composition root": {
    holds: ["server/app.ts", "server/foundations.ts"],
    ours: ["server/", "db/"],
    packages: ["fastify", "@fastify/websocket", "pino-pretty"],
    why: "the only place that names implementations: PostgreSQL or PGlite, Redis or memory",
  },
  "the log": {
    holds: ["server/log-errors.ts", NOTICES],
    ours: [],
    packages: ["fastify"],
    why: "what of an error is written down, never what a user said, and how often a cause is",
  },
  "warnings at start": {
    holds: ["server/start-warnings.ts"],
    ours: ["server/auth/", "server/config.ts"],
    packages: [],
    why: "settings that each are fine and together are not safe",
  },
  main: {
    holds: ["server/main.ts"],
    ours: ["server/app.ts", "server/config.ts", "server/core/errors.ts"],
    packages: [],
    why: "reads the configuration, starts, stops on signals",
  },
  client: {
    holds: ["client/"],
    ours: ["server/protocol/"],
    packages: [],
    why: "the client library: types of the protocol and nothing else of the server's",
  },
  web: {
    holds: ["web/"],
    ours: ["client/"],
    packages: ["preact", "@preact/signals"],
    why: "the page: an application like any other on the client library, with no way of its own to the server",
  },
};

/** At run time a client imports nothing of the server's: from the protocol it takes types alone. */
const TYPES_ONLY: readonly string[] = ["client/"];

/** What a browser runs, which has no `node:` modules. */
const IN_BROWSERS: readonly string[] = ["client/", "web/"];

const MAX_LINES = 300;

const root = resolve(import.meta.dirname, "../..");

function filesUnder(folder: string, extension: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(extension) && !path.includes("node_modules"))
    .map((path) => join(folder, path).replaceAll("\\", "/"))
    .sort();
}

const read = (path: string): string => readFileSync(join(root, path), "utf8");

const sources = ["server", "db", "client", "web"].flatMap((folder) => [
  ...filesUnder(folder, ".ts"),
  ...filesUnder(folder, ".tsx"),
]);

interface Import {
  readonly from: string;
  readonly isTypeOnly: boolean;
}

/** Static imports and re-exports, also over several lines; imports for effect; `import()` with a literal. */
const IMPORTS =
  /^\s*(?:import|export)\s+(?<type>type\s+)?(?:[\w*{][^;"'`]*?\s+from\s+)?"(?<from>[^"]+)"|\bimport\(\s*"(?<dynamic>[^"]+)"/gm;

function importsOf(text: string): Import[] {
  return [...text.matchAll(IMPORTS)].map(({ groups }) => ({
    from: groups?.from ?? groups?.dynamic ?? "",
    isTypeOnly: groups?.type !== undefined,
  }));
}

const isWithin = (path: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place));

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** What is wrong with this import; null when nothing is. */
function objection(path: string, part: Part, { from, isTypeOnly }: Import): string | null {
  if (!from.startsWith(".")) {
    if (from.startsWith("node:")) {
      return isWithin(path, IN_BROWSERS) ? `${path}: may not import ${from}, which browsers do not have` : null;
    }
    if (builtinModules.includes(from)) return `${path}: ${from} is to be written node:${from}`;
    return part.packages.includes(packageOf(from)) ? null : `${path}: may not import the package ${from}`;
  }
  const target = relative(root, resolve(root, dirname(path), from)).replaceAll("\\", "/");
  if (!isWithin(target, [...part.holds, ...part.ours])) return `${path}: may not import ${target}`;
  if (isWithin(path, TYPES_ONLY) && !isWithin(target, part.holds) && !isTypeOnly) {
    return `${path}: may import no more than types from ${target}`;
  }
  return null;
}

test("the imports of a file are found in every form", () => {
  const text = `
import "a";
import type { B } from "b";
import c, { type D, e } from "./c.ts";
import * as f from "node:f";
import {
  g,
  h,
} from "../g.ts";
export { i } from "@scope/i/j";
export type * from "k";
const l = await import("l");
const message = 'do not import x from "y"';
`;
  expect(importsOf(text)).toEqual([
    { from: "a", isTypeOnly: false },
    { from: "b", isTypeOnly: true },
    { from: "./c.ts", isTypeOnly: false },
    { from: "node:f", isTypeOnly: false },
    { from: "../g.ts", isTypeOnly: false },
    { from: "@scope/i/j", isTypeOnly: false },
    { from: "k", isTypeOnly: true },
    { from: "l", isTypeOnly: false },
  ]);
});

describe("imports run one way", () => {
  test("every file belongs to exactly one part", () => {
    const homes = sources.map((path) => ({
      path,
      parts: Object.keys(PARTS).filter((name) => isWithin(path, PARTS[name]?.holds ?? [])),
    }));
    expect(homes.filter(({ parts }) => parts.length !== 1)).toEqual([]);
    expect(homes.length).toBeGreaterThan(50);
  });

  test.each(Object.entries(PARTS))("%s", (_name, part) => {
    const objections = sources
      .filter((path) => isWithin(path, part.holds))
      .flatMap((path) => importsOf(read(path)).map((imported) => objection(path, part, imported)))
      .filter((found) => found !== null);
    expect(objections, part.why).toEqual([]);
  });

  test("an import that is not allowed is found", () => {
    const core = PARTS.core as Part;
    const wrong = (from: string) => objection("server/core/messages.ts", core, { from, isTypeOnly: true });
    expect(wrong("../transport/hub.ts")).toBe("server/core/messages.ts: may not import server/transport/hub.ts");
    expect(wrong("zod")).toBe("server/core/messages.ts: may not import the package zod");
    expect(wrong("fs")).toBe("server/core/messages.ts: fs is to be written node:fs");
    expect(wrong("../../tests/support/stack.ts")).toContain("may not import tests/");
    expect(wrong("./events.ts")).toBeNull();
    expect(wrong("node:crypto")).toBeNull();
    const client = PARTS.client as Part;
    const imported = { from: "../server/protocol/channels.ts", isTypeOnly: false };
    expect(objection("client/socket.ts", client, imported)).toContain("no more than types");
    const page = PARTS.web as Part;
    const unwanted = ["../server/protocol/channels.ts", "ws", "node:fs"].map((from) =>
      objection("web/room.tsx", page, { from, isTypeOnly: true }),
    );
    expect(unwanted).toEqual([
      "web/room.tsx: may not import server/protocol/channels.ts",
      "web/room.tsx: may not import the package ws",
      "web/room.tsx: may not import node:fs, which browsers do not have",
    ]);
  });
});

/**
 * What is not written down, and why. The words are those of somebody's to-do list or of how the project came to be, which
 * a reader of it cannot look up.
 */
const UNWANTED: Record<string, RegExp> = {
  "a task left for later belongs in the tracker": /\b(?:TODO|FIXME|XXX|HACK)\b/,
  "types are not switched off": /@ts-(?:ignore|nocheck|expect-error)|\bas any\b/,
  "the reader knows no brief and no seed":
    /\b(?:design|protocol|this|the) briefs?\b|\bseeds?\/|\bseed (?:document|`?\d{3})/i,
  "the reader knows no issue": /\bissue #?\d+|#\d+\b(?=\s+(?:says|asks|wants))/i,
  "no path of the machine it was written on": /(?:^|[\s"'`(])\/(?:work|home|root|tmp)\//,
};

describe("what is not written", () => {
  const texts = [
    ...sources,
    ...[".css", ".html"].flatMap((extension) => filesUnder("web", extension)),
    ...filesUnder("docs", ".md"),
  ].map((path) => ({ path, lines: read(path).split("\n") }));

  test.each(Object.entries(UNWANTED))("%s", (_why, pattern) => {
    const found = texts.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

describe("a production install has what the code imports", () => {
  interface Manifest {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  }
  const manifest: Manifest = JSON.parse(read("package.json"));

  /** Files that `npm ci --omit=dev` has to be able to run; `web/` is bundled by the build. */
  const imported = sources
    .filter((path) => !path.startsWith("web/"))
    .flatMap((path) => importsOf(read(path)).map(({ from, isTypeOnly }) => ({ path, from, isTypeOnly })))
    .filter(({ from, isTypeOnly }) => !isTypeOnly && !from.startsWith(".") && !from.startsWith("node:"));

  test("every package that is imported at run time is a dependency", () => {
    const missing = imported.filter(({ from }) => !Object.hasOwn(manifest.dependencies, packageOf(from)));
    expect(missing).toEqual([]);
    expect(imported.length).toBeGreaterThan(20);
  });

  test("every dependency is imported", () => {
    const used = new Set(imported.map(({ from }) => packageOf(from)));
    expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name))).toEqual([]);
  });

  test("nothing is a dependency and a devDependency", () => {
    const both = Object.keys(manifest.devDependencies).filter((name) => Object.hasOwn(manifest.dependencies, name));
    expect(both).toEqual([]);
  });
});

test(`no file has more than ${MAX_LINES} lines: look for the second noun`, () => {
  const long = sources
    .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES);
  expect(long).toEqual([]);
});
