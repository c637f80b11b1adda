import type { FastifyInstance } from "fastify";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerHttp } from "../../server/http/register.ts";
import { serverOptions } from "../../server/http/server-options.ts";
import { errorCatalogue } from "../../server/protocol/errors.ts";
import { MAX_FRAME_BYTES, openStorage, type Storage } from "./server.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, unknown>;
    readonly securitySchemes: Record<string, unknown>;
  };
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Record<string, unknown>;
}
interface Operation {
  readonly summary: string;
  readonly tags: string[];
  readonly security?: Record<string, string[]>[];
  readonly parameters?: Parameter[];
  readonly requestBody?: { required?: boolean; content: Record<string, { schema: Record<string, unknown> }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}

let storage: Storage;
let server: FastifyInstance;
let document: Document;
const registered = new Set<string>();
const operations = new Map<string, Operation>();

beforeAll(async () => {
  storage = await openStorage();
  server = Fastify(serverOptions(MAX_FRAME_BYTES));
  server.addHook("onRoute", ({ method, url }) => {
    for (const each of [method].flat()) if (each !== "HEAD") registered.add(`${each.toLowerCase()} ${url}`);
  });
  await registerHttp(server, storage.services);
  server.get("/ws/:room/", () => "a path of another protocol");
  await server.ready();
  document = (await server.inject("/docs/openapi.json")).json<Document>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) operations.set(`${method} ${path}`, operation);
  }
});
afterAll(async () => {
  await server.close();
  await storage.close();
});

function operation(name: string): Operation {
  const found = operations.get(name);
  if (found === undefined) throw new Error(`${name} is not in the document`);
  return found;
}

/** The part of an error body's schema that names its codes. */
const codesOf = z.object({
  properties: z.object({
    error: z.object({ properties: z.object({ code: z.object({ enum: z.array(z.string()).min(1) }) }) }),
  }),
});

/** Each place in the document that refers to another. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}

describe("GET /docs/openapi.json", () => {
  it("is an OpenAPI 3.1 document", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "Parley", version: "0.0.0-test" } });
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      apiKey: { type: "http", scheme: "bearer" },
    });
  });

  it("has exactly the routes there are, and no WebSocket path", () => {
    const shown = [...registered]
      .filter((route) => / \/(api\/|healthz|readyz|metrics)/.test(route))
      .map((route) => route.replace(/:(\w+)/g, "{$1}"));
    expect([...operations.keys()].sort()).toEqual(shown.sort());
    expect(shown).toEqual([
      "delete /api/conversations/{id}/members/{user}",
      "get /api/conversations",
      "get /api/conversations/{id}",
      "get /api/me",
      "get /api/rooms/{room}/messages",
      "get /api/users",
      "get /healthz",
      "get /metrics",
      "get /readyz",
      "patch /api/conversations/{id}",
      "post /api/conversations",
      "post /api/conversations/{id}/members",
      "post /api/dev/token",
      "post /api/rooms/{room}/messages",
      "post /api/rooms/{room}/read",
      "put /api/users/{id}",
    ]);
  });

  it("gives each a summary, a tag, each path parameter, a description of each answer, and a 500", () => {
    for (const [name, { summary, tags, parameters = [], responses }] of operations) {
      expect(METHODS, name).toContain(name.split(" ")[0]);
      expect(summary, name).toMatch(/\w/);
      expect(tags, name).toHaveLength(1);
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map((parameter) => `{${parameter.name}}`).sort(), name).toEqual(
        (name.match(/\{\w+\}/g) ?? []).sort(),
      );
      for (const parameter of inPath) expect(parameter.required, name).toBe(true);
      expect(
        Object.keys(responses).some((status) => status.startsWith("2")),
        name,
      ).toBe(true);
      for (const { description } of Object.values(responses)) {
        expect(description, name).toMatch(/\w/);
        expect(description, name).not.toBe("Default Response");
      }
      expect(responses, name).toHaveProperty("500");
    }
  });

  it("asks for the user's token everywhere but where none is needed", () => {
    const securities = [...operations].filter(([, { security }]) => security?.[0]?.bearer === undefined);
    expect(Object.fromEntries(securities.map(([name, { security }]) => [name, security]))).toEqual({
      "get /healthz": undefined,
      "get /readyz": undefined,
      "get /metrics": undefined,
      "post /api/dev/token": undefined,
      "put /api/users/{id}": [{ apiKey: [] }],
    });
    for (const [name, { security, responses }] of operations) {
      if (security !== undefined) expect(responses, name).toHaveProperty("401");
    }
  });

  it("gives the errors of each status their codes", () => {
    const catalogue = Object.entries(errorCatalogue);
    for (const [name, { responses }] of operations) {
      for (const [status, response] of Object.entries(responses)) {
        if (status.startsWith("2") || (name === "get /readyz" && status === "503")) continue;
        const place = `${name} ${status}`;
        const schema = response.content?.["application/json"]?.schema;
        expect(schema, place).toMatchObject({
          properties: {
            error: {
              required: ["code", "message"],
              properties: { message: { type: "string" }, retry_after: { type: "integer" } },
            },
          },
        });
        const ofStatus = catalogue.filter(([, entry]) => String(entry.status) === status).map(([code]) => code);
        const codes = codesOf.parse(schema).properties.error.properties.code.enum;
        expect(ofStatus, place).toEqual(expect.arrayContaining(codes));
      }
    }
    expect(Object.keys(operation("post /api/rooms/{room}/messages").responses)).toEqual([
      "200",
      "201",
      "400",
      "401",
      "403",
      "404",
      "409",
      "413",
      "429",
      "500",
      "503",
    ]);
  });

  it("says what a query, a header and a body may hold", () => {
    const parameters = operation("get /api/rooms/{room}/messages").parameters ?? [];
    const limit = parameters.find((parameter) => parameter.name === "limit");
    expect(limit).toMatchObject({
      in: "query",
      description: "50 without it",
      schema: { type: "integer", minimum: 1, maximum: 200 },
    });
    expect(parameters.filter((parameter) => parameter.required).map((parameter) => parameter.name)).toEqual(["room"]);
    expect(parameters.map((parameter) => parameter.name).sort()).toEqual([
      "after",
      "before",
      "limit",
      "pinned",
      "room",
    ]);
    const send = operation("post /api/rooms/{room}/messages");
    expect(send.parameters).toContainEqual(expect.objectContaining({ in: "header", name: "idempotency-key" }));
    expect(send.requestBody?.content["application/json"]?.schema).toMatchObject({
      additionalProperties: false,
      properties: { message: { type: "string" }, client_id: { type: "string", maxLength: 64 } },
    });
    expect(operation("post /api/conversations").requestBody).toMatchObject({
      required: true,
      content: { "application/json": { schema: { required: ["type", "name"] } } },
    });
  });

  it("lets a body be left out where it may be", () => {
    const optional = [...operations].filter(([, { requestBody }]) => requestBody?.required === false);
    expect(optional.map(([name]) => name).sort()).toEqual(["post /api/rooms/{room}/read", "put /api/users/{id}"]);
  });

  it("refers to what is in it, and names nothing else", () => {
    const names = Object.keys(document.components.schemas);
    expect(names.sort()).toEqual(["Conversation", "ConversationDetails", "Message", "Profile", "UserReference"]);
    const referred = new Set(references(document));
    expect([...referred].sort()).toEqual(names.map((name) => `#/components/schemas/${name}`));
  });
});
