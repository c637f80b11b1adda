/** What a client says is judged by its length before its elements: counted on every list and record of every schema. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as attachments from "../../server/protocol/attachments.ts";
import * as channels from "../../server/protocol/channels.ts";
import * as envelope from "../../server/protocol/envelope.ts";
import * as http from "../../server/protocol/http.ts";
import * as liveChat from "../../server/protocol/live-chat.ts";
import * as rooms from "../../server/protocol/rooms.ts";

/** What a client's frames and requests are judged by. */
const FROM_CLIENTS: Readonly<Record<string, unknown>> = {
  attachment: attachments.attachment,
  attachments: attachments.attachments,
  opaqueObject: attachments.opaqueObject,
  roomClientFrames: channels.roomClientFrames(10),
  notificationsClientFrame: channels.notificationsClientFrame,
  messageFields: channels.messageFields(10),
  clientEnvelope: envelope.clientEnvelope,
  ping: envelope.ping,
  userQuery: http.userQuery,
  conversationQuery: http.conversationQuery,
  historyQuery: http.historyQuery,
  roomParams: http.roomParams,
  conversationParams: http.conversationParams,
  memberParams: http.memberParams,
  userParams: http.userParams,
  newGroup: http.newGroup,
  groupChanges: http.groupChanges,
  newMembers: http.newMembers,
  newMessage: http.newMessage(10),
  idempotencyHeaders: http.idempotencyHeaders,
  readRequest: http.readRequest,
  userProvision: http.userProvision,
  developmentTokenRequest: http.developmentTokenRequest,
  liveChatClientEvents: liveChat.liveChatClientEvents(10),
  liveChatSince: liveChat.liveChatSince(10),
  roomsClientEvents: rooms.roomsClientEvents(10),
};

/** What the server says; nobody's input is judged by it. */
const FROM_THE_SERVER =
  /^(MAX_|chatMessage$|user(Join|Leave|Typing|List)$|onlineUserList$|messages?(Read|Edited|Deleted|Pinned|Page)$|resume|ack|pong$|error|.*Server(Frame|Events)$|roomsMessage$|roomsQuote$|room$|profile$|message$|sentMessage$|conversation(Details|Page)?$|group(Members|Answer)|memb(ers|ership).*|readState$|developmentToken$|alive$|health|readiness|added|left|removed|new(Members|Group)Answer|storedUser|updated|liveness)/;

interface Place {
  readonly path: string;
  readonly schema: z.ZodArray | z.ZodRecord;
}

function* collections(path: string, schema: unknown, seen = new Set<unknown>()): Generator<Place> {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return;
  seen.add(schema);
  if (schema instanceof z.ZodArray || schema instanceof z.ZodRecord) yield { path, schema };
  const inner = schema instanceof z.ZodType ? innerOf(schema) : Object.entries(schema);
  for (const [name, part] of inner) yield* collections(`${path}.${name}`, part, seen);
}

function innerOf(schema: z.ZodType): [string, unknown][] {
  const {
    innerType,
    element,
    keyType,
    valueType,
    in: input,
    out,
    options,
    shape,
  } = schema.def as unknown as Record<string, unknown>;
  return [
    ...Object.entries({ innerType, element, keyType, valueType, input, out }),
    ...Object.entries(typeof options === "object" ? (options as object) : {}),
    ...Object.entries(typeof shape === "object" ? (shape as object) : {}),
  ].filter(([, part]) => part instanceof z.ZodType);
}

const places = Object.entries(FROM_CLIENTS).flatMap(([name, schema]) => [...collections(name, schema)]);

/** Counts the elements that are looked at. */
function counted<Value extends object>(value: Value): { value: Value; looks: () => number } {
  let looks = 0;
  const watched = new Proxy(value, {
    get(target, key, receiver) {
      if (key !== "length" && Object.hasOwn(target, key)) looks += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  return { value: watched, looks: () => looks };
}

/** Nothing is right in them: neither the keys nor the values, wherever there is a wrong one. */
function wrong(schema: Place["schema"], size: number): object {
  const elements = Array.from({ length: size }, (_, index) => [`\ud800${index}`, Symbol("wrong")] as const);
  return schema instanceof z.ZodArray ? elements.map(([, value]) => value) : Object.fromEntries(elements);
}

/** Its values are the client's own. */
function isOpaque(schema: Place["schema"]): boolean {
  return schema instanceof z.ZodRecord && schema.valueType instanceof z.ZodUnknown;
}

function mostOf(schema: Place["schema"]): number {
  const { most } = schema.def as unknown as { readonly most?: number };
  if (most === undefined) throw new Error("neither list() nor record() made it");
  return most;
}

describe("lists and records of a client's", () => {
  test("are all that a client's schemas have", () => {
    expect(places.map(({ path }) => path)).toContain("roomsClientEvents.sendNewMessage.recipient_id");
    expect(places.map(({ path }) => path)).toContain("newGroup.members.innerType");
    const known = new Set(Object.keys(FROM_CLIENTS));
    const modules = { ...attachments, ...channels, ...envelope, ...http, ...liveChat, ...rooms };
    const unknown = Object.keys(modules).filter((name) => !known.has(name) && !FROM_THE_SERVER.test(name));
    expect(unknown, "schemas of which it is not said here who speaks them").toEqual([]);
  });

  test.each(places)("[PAGE-6] $path: refused by its length with no element looked at", ({ schema }) => {
    const { value, looks } = counted(wrong(schema, mostOf(schema) + 1));
    const { error } = schema.safeParse(value);
    expect(error?.issues).toMatchObject([{ message: expect.stringMatching(/^expected at most \d+ /) }]);
    expect(looks()).toBe(0);
  });

  const judgedOneByOne = places.filter(({ schema }) => !isOpaque(schema));

  test.each(judgedOneByOne)("$path: no element is looked at behind the first that is wrong", ({ schema }) => {
    const { value, looks } = counted(wrong(schema, 5));
    expect(schema.safeParse(value).error?.issues).toHaveLength(1);
    expect(looks()).toBeLessThanOrEqual(1);
  });
});

describe("an object of a client's own making", () => {
  const opaque = attachments.opaqueObject;

  test.each(["1e308", "1e-300", "-1.5e21", "0", "123456789012345"])("[MSG-9] may hold %s", (number) => {
    expect(opaque.safeParse(JSON.parse(`{"n":${number}}`)).success).toBe(true);
  });

  test.each([
    ["a number that JSON cannot say", '{"n":1E400}'],
    ["one of the other sign, deep inside", '{"n":[{"m":-1e999}]}'],
    ["a prototype", '{"n":{"__proto__":{}}}'],
    ["nesting", `{"n":${"[".repeat(9)}${"]".repeat(9)}}`],
  ])("[MSG-9] may not hold %s", (_what, text) => {
    expect(opaque.safeParse(JSON.parse(text)).success).toBe(false);
    expect(attachments.attachments.safeParse([JSON.parse(text)]).success).toBe(false);
  });

  test("is measured as the server says it: numbers may grow when they are said again", () => {
    const numbers = (count: number): unknown => JSON.parse(`{"n":[${Array(count).fill("1e20").join(",")}]}`);
    const said = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
    const [most, more] = [numbers(2_978), numbers(2_979)];
    expect(said(most)).toBeLessThanOrEqual(attachments.MAX_OPAQUE_BYTES);
    expect(said(more)).toBeGreaterThan(attachments.MAX_OPAQUE_BYTES);
    expect(opaque.safeParse(most).success).toBe(true);
    expect(opaque.safeParse(more).error?.issues).toMatchObject([{ message: "expected at most 65536 bytes of JSON" }]);
    expect(attachments.attachments.safeParse([numbers(1_500), numbers(1_500)]).success).toBe(false);
  });
});
