/** A whole HTTP side on an in-memory database, spoken to without a socket. */

import Fastify, { type FastifyInstance, type InjectOptions } from "fastify";
import { SignJWT } from "jose";
import { Registry } from "prom-client";
import { v7 as newId } from "uuid";
import { expect } from "vitest";
import { openPglite } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import { Arrivals } from "../../server/arrivals.ts";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { secretKey } from "../../server/auth/keys.ts";
import { Conversations } from "../../server/core/conversations.ts";
import { Directory } from "../../server/core/directory.ts";
import type { ConversationEvent, EventSink, UserEvent } from "../../server/core/events.ts";
import { Groups } from "../../server/core/groups.ts";
import { LargeReads } from "../../server/core/large-reads.ts";
import { judge, Messages } from "../../server/core/messages.ts";
import { RateLimit } from "../../server/core/rate.ts";
import { Reading } from "../../server/core/reading.ts";
import { Users } from "../../server/core/users.ts";
import { Writer } from "../../server/core/writer.ts";
import { registerHttp } from "../../server/http/register.ts";
import { serverOptions } from "../../server/http/server-options.ts";
import type { HttpServices } from "../../server/http/services.ts";
import { username } from "../../server/protocol/fields.ts";
import type {
  ConversationBody,
  ConversationDetailsBody,
  MessageBody,
  ProfileBody,
} from "../../server/protocol/http.ts";

export const SECRET = "a secret of rather more than 32 bytes";
export const API_KEY = "the-key-of-the-back-end";
export const MAX_FRAME_BYTES = 4096;
export const MAX_PAGE_BYTES = 65_536;
export const MAX_MESSAGE_CHARS = 100;
export const MAX_GROUP_MEMBERS = 4;
const LARGE_ROOM_MEMBERS = 100;

export class RecordingSink implements EventSink {
  readonly events: ConversationEvent[] = [];
  readonly userEvents: UserEvent[] = [];

  emit(events: readonly ConversationEvent[]): void {
    this.events.push(...events);
  }
  emitToUsers(events: readonly UserEvent[]): void {
    this.userEvents.push(...events);
  }
  doubt(): void {}
}

export interface Storage {
  readonly services: HttpServices;
  readonly sink: RecordingSink;
  close(): Promise<void>;
}

/** A database and the core upon it; a user may send `sendBurst` messages, and no more. */
export async function openStorage(sendBurst = 10_000): Promise<Storage> {
  const store = createStore(await openPglite(null), newId);
  const sink = new RecordingSink();
  const writer = new Writer({ store, sink, judge, largeRoomMembers: LARGE_ROOM_MEMBERS });
  // A clock that stands still: what is spent does not come back.
  const sendRate = new RateLimit(0.4, sendBurst, () => 0);
  const services: HttpServices = {
    users: new Users(store, (text) => username.safeParse(text).success),
    directory: new Directory({ store, scope: "all", rate: new RateLimit(1_000, 1_000) }),
    conversations: new Conversations(store, sink),
    groups: new Groups({ store, sink, maxMembers: MAX_GROUP_MEMBERS, sendRate }),
    messages: new Messages({
      store,
      writer,
      sink,
      newId,
      sendRate,
      typingRate: new RateLimit(5, 5),
      largeRoomMembers: LARGE_ROOM_MEMBERS,
      resumeLimit: 1000,
    }),
    reading: new Reading({ store, writer }),
    commandRate: new RateLimit(1_000_000, 1_000_000),
    authenticate: createAuthenticator({ key: secretKey(SECRET), issuer: null, audience: null }),
    storage: store,
    channelLayer: { ping: async () => {} },
    metrics: new Registry(),
    version: "0.0.0-test",
    maxMessageChars: MAX_MESSAGE_CHARS,
    maxPageBytes: MAX_PAGE_BYTES,
    largeReads: new LargeReads({ pageBytes: MAX_PAGE_BYTES }),
    allowedOrigins: { kind: "same_origin" },
    arrivals: new Arrivals({ connectRate: "off", connectBurst: 1, httpRate: "off", httpBurst: 1 }),
    maxRequestsPerAddress: 100,
    hasOperationsElsewhere: false,
    trustedProxies: null,
    apiKey: API_KEY,
    developmentSecret: SECRET,
    pageFolder: null,
    stopping: new AbortController().signal,
  };
  return { services, sink, close: () => store.close() };
}

/** Lines of the server's log, as objects. */
export type LogLine = Record<string, unknown>;

export async function startServer(services: HttpServices, log: LogLine[] = []): Promise<FastifyInstance> {
  const stream = { write: (line: string) => log.push(JSON.parse(line)) };
  const server = Fastify({ ...serverOptions(MAX_FRAME_BYTES), logger: { level: "warn", stream } });
  await registerHttp(server, services);
  await server.ready();
  return server;
}

export function signToken(claims: Record<string, unknown>, expiresIn = "1h"): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime(expiresIn)
    .sign(secretKey(SECRET).secret);
}

/** Every field that some answer has: which of them this one has is for assertions to say. */
type AnyBody = ProfileBody &
  MessageBody &
  ConversationDetailsBody & {
    readonly results: (ProfileBody & ConversationBody)[];
    readonly messages: MessageBody[];
    readonly next: string | null;
    readonly previous: string | null;
    readonly added: ProfileBody[];
    readonly token: string;
    readonly user: ProfileBody;
    readonly error: { readonly code: string; readonly message: string };
  };

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The text as JSON; throws when it is none. */
  readonly body: AnyBody;
  readonly headers: Readonly<Record<string, unknown>>;
}

export async function ask(server: FastifyInstance, options: InjectOptions): Promise<Answer> {
  const response = await server.inject(options);
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    get body() {
      return response.json<AnyBody>();
    },
  };
}

/** The form of every time in an answer: UTC, milliseconds. */
export const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Somebody with a token, who is called by their id; stored at their first request. */
export async function personOf(server: FastifyInstance, id: string, claims: Record<string, unknown> = {}) {
  const token = await signToken({ sub: id, ...claims });
  const call =
    (method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE") =>
    (url: string, body?: unknown, headers: Record<string, string> = {}) =>
      ask(server, {
        method,
        url,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
  const person = {
    id,
    get: call("GET"),
    post: call("POST"),
    patch: call("PATCH"),
    put: call("PUT"),
    delete: call("DELETE"),
  };
  await person.get("/api/me");
  return person;
}

export type Person = Awaited<ReturnType<typeof personOf>>;

/** How Alice and Bob look to others, and any time. */
export const ALICE = { id: "u-alice", username: "alice", name: "Alice", first_name: "", last_name: "", avatar: null };
export const BOB = { id: "u-bob", username: "bob", name: "Bob", first_name: "", last_name: "", avatar: "bob.png" };
export const ISO = expect.stringMatching(ISO_TIME);

/** Alice, Bob and a third one, on a server of their own. */
export async function openCompany(thirdName: string) {
  const storage = await openStorage();
  const server = await startServer(storage.services);
  return {
    storage,
    server,
    alice: await personOf(server, ALICE.id, { username: ALICE.username, name: ALICE.name }),
    bob: await personOf(server, BOB.id, { username: BOB.username, name: BOB.name, avatar: BOB.avatar }),
    third: await personOf(server, `u-${thirdName}`, { username: thirdName }),
    close: async () => {
      await server.close();
      await storage.close();
    },
  };
}

export type Company = Awaited<ReturnType<typeof openCompany>>;
