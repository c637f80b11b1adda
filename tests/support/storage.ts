/** Storage for tests, on both databases: PGlite in memory (always there) and PostgreSQL (where it can be had). */
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe } from "vitest";
import { type Database, openPglite, openPostgres, type Row, rowsOf } from "../../db/client.ts";
import { createStore } from "../../db/store.ts";
import type { ConversationView, Message, Profile } from "../../server/core/model.ts";
import type { HistoryPage, ListedConversation, NewMessage, Store } from "../../server/core/store.ts";
import { freshDatabase, postgresUrl, servicesMissing } from "./services.ts";

/** One node's view of the database: with PostgreSQL, connections of its own. */
export interface StorageNode {
  readonly database: Database;
  readonly store: Store;
}

export interface Storage extends StorageNode {
  /** The other node on the same database: the same one whenever it is asked for. */
  otherNode(): Promise<StorageNode>;
  /** The PostgreSQL database's address; "" for PGlite. */
  readonly url: string;
  close(): Promise<void>;
}

/** Runs the suite on both databases; each run has one database, made before it. */
export function describeStorage(name: string, suite: (storage: () => Storage) => void): void {
  describeOn(`${name} (PGlite)`, openEmbedded, suite);
  describeOnPostgres(name, suite);
}

/** For what only several connections can show. */
export function describeOnPostgres(name: string, suite: (storage: () => Storage) => void): void {
  if (postgresUrl === undefined) describe.skip(`${name} (PostgreSQL: ${servicesMissing})`, () => suite(unavailable));
  else describeOn(`${name} (PostgreSQL)`, openOnPostgres, suite);
}

function describeOn(name: string, open: () => Promise<Storage>, suite: (storage: () => Storage) => void): void {
  describe(name, () => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage?.close());
    suite(() => storage);
  });
}

function unavailable(): never {
  throw new Error(servicesMissing);
}

export async function openEmbedded(): Promise<Storage> {
  const database = await openPglite(null);
  const node = { database, store: createStore(database, newId) };
  return { ...node, url: "", otherNode: async () => node, close: () => database.close() };
}

async function openOnPostgres(): Promise<Storage> {
  const { url, drop } = await freshDatabase();
  const node = await openStorageNode(url);
  let other: Promise<StorageNode> | null = null;
  return {
    ...node,
    url,
    otherNode: () => {
      other ??= openStorageNode(url);
      return other;
    },
    close: async () => {
      await node.database.close();
      await (await other)?.database.close();
      await drop();
    },
  };
}

export async function openStorageNode(url: string): Promise<StorageNode> {
  const database = await openPostgres({ url, searchPath: null });
  return { database, store: createStore(database, newId) };
}

/** The rows of a statement of the test's own, which knows the tables. */
export async function query(
  { database }: Pick<StorageNode, "database">,
  statement: Parameters<Database["drizzle"]["execute"]>[0],
): Promise<Row[]> {
  return rowsOf(await database.drizzle.execute(statement));
}

/** A user nobody else has: the id says whose it is, and is not the username. */
export function profileOf(name: string, fields: Partial<Profile> = {}): Profile {
  const id = `${newId()}-${name}`;
  return { id, username: `${name}.${id.slice(0, 36)}`, name, firstName: "", lastName: "", avatar: null, ...fields };
}

/** Makes these users known, in this order. */
export async function introduce<Names extends readonly string[]>(
  store: Store,
  ...names: Names
): Promise<{ [Index in keyof Names]: Profile }> {
  const profiles = names.map((name) => profileOf(name));
  for (const profile of profiles) await store.putUser(profile);
  return profiles as { [Index in keyof Names]: Profile };
}

/** A group of these, the first its creator. Resolves with its id. */
export async function openGroup(store: Store, ...members: readonly Profile[]): Promise<string> {
  const [creator] = members;
  if (creator === undefined) throw new Error("a group has a creator");
  const memberIds = members.map((member) => member.id);
  const group = await store.createGroup({ id: null, name: "", imageUrl: null, creatorId: creator.id, memberIds });
  if (group === "taken") throw new Error("the server's own id was taken");
  return group.id;
}

/** Larger than anything here: for tests that are not about pages. */
export const ALL_BYTES = 1_000_000_000;

/** A page of history, newest first. */
export async function historyOf(store: Store, page: Omit<HistoryPage, "bytes">): Promise<Message[]> {
  return [...(await store.history({ ...page, bytes: ALL_BYTES })).messages];
}

/** A page of a user's conversations. */
export async function viewsOf(
  store: Store,
  userId: string,
  limit: number,
  before: ListedConversation | null,
): Promise<readonly ConversationView[]> {
  return (await store.views(userId, limit, before, ALL_BYTES)).views;
}

export function draft(sender: Profile, conversationId: string, fields: Partial<NewMessage> = {}): NewMessage {
  return {
    id: fields.id ?? newId(),
    idFromClient: fields.id !== undefined,
    conversationId,
    sender,
    clientId: null,
    text: "hello",
    mediaUrl: null,
    mediaType: null,
    messageType: null,
    attachments: [],
    replyTo: null,
    isStoryReply: false,
    opensConversation: false,
    fileIdentifier: null,
    mediaUrlExpiration: null,
    ...fields,
  };
}

/** Sends one message, which must be stored. */
export async function say(
  store: Store,
  sender: Profile,
  conversationId: string,
  fields: Partial<NewMessage> = {},
): Promise<Message> {
  const [outcome] = await store.send([draft(sender, conversationId, fields)]);
  if (outcome?.status !== "stored") throw new Error(`the message was not stored: ${outcome?.status}`);
  return outcome.change.message;
}
