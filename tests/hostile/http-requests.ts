/** HTTP requests made up at random, for the routes that the OpenAPI document lists and for others. */
import { type Agent, request as send } from "node:http";
import fc from "fast-check";
import { type Schema, valuesOf } from "./schema-values.ts";
import { hostileKey, hostileText, hostileValue, jsonOf, SCRIPTS } from "./values.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** Whose token the request carries: one that is right, another server's, or none at all. */
export type Credential = "token" | "foreign" | "broken" | "none";

export interface RequestCase {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly credential: Credential;
}

/** What may stand in a path as it is. */
const rawPathText = fc.constantFrom(
  "%",
  "%zz",
  "%E0%A4%A",
  "%ED%A0%80",
  "%C3%28",
  "%00",
  "..",
  ".",
  "%2e%2e%2f",
  "//",
  ";",
  "a".repeat(2_000),
);
const pathText = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "@other@",
      "@third@",
      "@self@",
      "@direct@",
      "@group@",
      "@foreign-direct@",
      "@foreign-group@",
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom(...Object.values(SCRIPTS)).map(encodeURIComponent) },
  { weight: 2, arbitrary: hostileText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 300))) },
  { weight: 2, arbitrary: rawPathText },
);

const queryValue = fc.oneof(
  fc.constantFrom(
    "0",
    "1",
    "-1",
    "1e400",
    "9007199254740993",
    "99999999999999999999",
    "0x10",
    "",
    "true",
    "null",
    "%zz",
    "a%00b",
  ),
  fc.nat().map(String),
  hostileText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 300))),
);

function queriesOf(names: readonly string[]): fc.Arbitrary<string> {
  const name = names.length === 0 ? fc.constantFrom("a") : fc.constantFrom(...names);
  const pair = fc.tuple(
    fc.oneof(
      { weight: 6, arbitrary: name },
      { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "limit[]", "token", "%00", "") },
    ),
    queryValue,
  );
  const list = fc
    .array(pair, { maxLength: 3 })
    .map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join("&"));
  return list.map((text) => (text === "" ? "" : `?${text}`));
}

/** Latin-1 without controls: what HTTP lets a header hold. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 80,
});

const moreHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: headerText.map((value) => ({ "idempotency-key": value })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("@unique@", "", "a".repeat(65)).map((value) => ({ "idempotency-key": value })),
  },
  { weight: 1, arbitrary: headerText.map((value) => ({ origin: value })) },
  { weight: 1, arbitrary: headerText.map((value) => ({ cookie: value, accept: value, "x-forwarded-for": value })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("https://elsewhere.example", "null", "@self@").map((origin) => ({ origin })),
  },
);

const contentType = fc.oneof(
  { weight: 10, arbitrary: fc.constant("application/json") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "application/json; charset=utf-8",
      "APPLICATION/JSON",
      "text/plain",
      "multipart/form-data; boundary=a",
      "application/x-www-form-urlencoded",
      "",
      "/",
      'application/json;charset="',
      "application/jsonx",
    ),
  },
);

function bodiesOf(schema: Schema | undefined): fc.Arbitrary<string | null> {
  const valid = schema === undefined ? fc.constant({}) : valuesOf(schema);
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => JSON.stringify(value)) },
    {
      weight: 5,
      arbitrary: fc.tuple(valid, hostileKey, hostileValue, fc.nat()).map(([value, key, hostile, at]) => {
        const body = { ...(value as object) };
        const keys = Object.keys(body);
        const name = at % 3 === 0 ? key : (keys[at % keys.length] ?? key);
        Object.defineProperty(body, name, { value: hostile, enumerable: true, configurable: true });
        return jsonOf(body);
      }),
    },
    { weight: 1, arbitrary: hostileValue.map(jsonOf) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "",
        "{",
        "[",
        "\u0000",
        "null",
        "\ufeff{}",
        " ".repeat(65_536),
        `"${"a".repeat(65_534)}"`,
        `"${"a".repeat(65_600)}"`,
      ),
    },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

const credential: fc.Arbitrary<Credential> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Credential>("token") },
  { weight: 1, arbitrary: fc.constantFrom<Credential>("foreign", "broken", "none") },
);

function casesOf(path: string, method: string, { parameters = [], requestBody }: Operation): fc.Arbitrary<RequestCase> {
  const parts = path.split(/(\{\w+\})/).map((part) => (part.startsWith("{") ? pathText : fc.constant(part)));
  const queryNames = parameters.filter((each) => each.in === "query").map(({ name }) => name);
  return fc
    .tuple(
      fc.tuple(...parts),
      queriesOf(queryNames),
      moreHeaders,
      contentType,
      bodiesOf(requestBody?.content["application/json"]?.schema),
      credential,
    )
    .map(([places, query, headers, type, body, whose]) => {
      const hasBody = body !== null && (requestBody !== undefined || query.length % 5 === 1);
      return {
        method: method.toUpperCase(),
        path: places.join("") + query,
        headers: hasBody ? { ...headers, "content-type": type } : headers,
        body: hasBody ? body : null,
        credential: whose,
      };
    });
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "M-SEARCH"];

/** Paths that lead nowhere, methods that a path does not know. */
function strayCases(paths: readonly string[]): fc.Arbitrary<RequestCase> {
  const path = fc.oneof(
    fc.constantFrom(
      ...paths,
      "/",
      "/docs/openapi.json",
      "/ws/notifications/",
      "/chat",
      "/rooms",
      "*",
      "http://elsewhere.example/api/me",
    ),
    fc.array(pathText, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`),
  );
  return fc.record({
    method: fc.constantFrom(...METHODS),
    path: fc.tuple(path, queriesOf([])).map(([where, query]) => where + query),
    headers: moreHeaders,
    body: fc.constant(null),
    credential,
  });
}

export function requestCases({ paths }: OpenApi): fc.Arbitrary<RequestCase> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      // What stores the most is tried the most.
      weight: path.endsWith("/messages") && method === "post" ? 10 : 1,
      arbitrary: casesOf(path, method, operation),
    })),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...operations) },
    { weight: 1, arbitrary: strayCases(Object.keys(paths)) },
  );
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Sends it as it stands: `fetch` would put right what is wrong with the path. */
export function ask(http: string, { method, path, headers, body }: RequestCase, agent: Agent): Promise<Answer> {
  const { hostname, port } = new URL(http);
  return new Promise((resolve, reject) => {
    // Node sends a body without its length where the method seldom has one.
    const sized = body === null ? headers : { ...headers, "content-length": Buffer.byteLength(body) };
    const outgoing = send({ hostname, port, method, path, headers: sized, agent }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.once("error", reject);
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, type: incoming.headers["content-type"] ?? "", text }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end(body ?? undefined);
  });
}
