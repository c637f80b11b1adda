/**
 * What the database holds after all was tried, read row by row: only what a valid frame would have stored. The rules are
 * those of docs/protocol.md written out once more, not the server's schemas, which may be what is wrong.
 */
import { sql } from "drizzle-orm";
import { expect } from "vitest";
import type { Row } from "../../db/client.ts";
import type { Stack } from "../support/stack.ts";
import { query } from "../support/storage.ts";
import { type Company, isWhole } from "./company.ts";
import { isRecord, MAX_MESSAGE_CHARS } from "./paths.ts";

/** The client ids of sends, by what their senders were told. */
export interface Told {
  readonly stored: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

export async function expectOnlyValid(stack: Stack, company: Company, told: Told): Promise<void> {
  const database = await stack.openDatabase();
  try {
    const messages = await query({ database }, sql`select * from messages`);
    const members = await query({ database }, sql`select conversation_id, user_id from members`);
    const conversations = await query({ database }, sql`select * from conversations`);
    const users = await query({ database }, sql`select * from users`);
    const memberships = new Set(members.map((member) => `${member.conversation_id} ${member.user_id}`));
    const groups = new Set(conversations.filter(({ type }) => type === "group").map(({ id }) => id));
    const wrong = messages.flatMap((row) =>
      objectionsTo(row, company)
        // Who left a group is no member of it any more; nobody leaves a direct conversation.
        .concat(
          groups.has(row.conversation_id) || memberships.has(`${row.conversation_id} ${row.sender_id}`)
            ? []
            : ["no member"],
        )
        .map((objection) => ({ objection, row })),
    );
    expect(wrong).toEqual([]);
    const broken = [...conversations, ...users].filter((row) => !isWhole(stringsIn(row).join("")));
    expect(broken).toEqual([]);
    const images = [...conversations.map((row) => row.image_url), ...users.map((row) => row.avatar)];
    expect(images.filter((url) => url !== null && !isReference(url))).toEqual([]);

    const clientIds = new Set(messages.map((row) => row.client_id));
    expect([...told.refused].filter((id) => clientIds.has(id))).toEqual([]);
    expect([...told.stored].filter((id) => !clientIds.has(id))).toEqual([]);
  } finally {
    await database.close();
  }
}

function objectionsTo(row: Row, company: Company): string[] {
  const { text, client_id: clientId, sender_id: sender } = row;
  const attachments = jsonOf(row.attachments) ?? [];
  const found: [isRight: boolean, objection: string][] = [
    [isWhole(stringsIn([row, attachments, jsonOf(row.reply_quote)]).join("\n")), "broken text"],
    [typeof text === "string" && [...text].length <= MAX_MESSAGE_CHARS, "too long a text"],
    [row.deleted_at !== null || text !== "" || row.media_url !== null || length(attachments) > 0, "empty"],
    [row.media_url === null || isReference(row.media_url), "media url"],
    [Array.isArray(attachments) && attachments.length <= 20 && attachments.every(isAttachment), "attachments"],
    [row.media_type === null || /^(?:VIDEO|AUDIO|IMAGE|FILE)$/.test(String(row.media_type)), "media type"],
    [
      isAtMost(clientId, 64) && isAtMost(row.message_type, 64) && isAtMost(row.file_identifier, 512),
      "too long a field",
    ],
    [/^[A-Za-z0-9_-]{1,64}$/.test(String(row.id)), "id"],
    [isTheirs(String(clientId), String(sender), company), "not the sender of the token"],
  ];
  return found.flatMap(([isRight, objection]) => (isRight ? [] : [objection]));
}

/** The ids that were given out say whose they are. */
function isTheirs(clientId: string, sender: string, company: Company): boolean {
  const owner = /^([a-z]+)\.\d+$/.exec(clientId)?.[1];
  return owner === undefined || !company.isSender(owner) || owner === sender;
}

/** An http or https URL, or a relative reference that no browser takes for anything else. */
function isReference(url: unknown): boolean {
  if (typeof url !== "string" || url.length > 2048) return false;
  if (/^https?:\/\//i.test(url)) return URL.canParse(url);
  const resolved = URL.canParse(url, "https://here.example/") ? new URL(url, "https://here.example/") : null;
  return resolved?.origin === "https://here.example";
}

function isAttachment(value: unknown): boolean {
  const url = typeof value === "string" ? value : isRecord(value) ? value.url : null;
  return (isRecord(value) && url === undefined) || (typeof url === "string" && /^https?:\/\//i.test(url));
}

const isAtMost = (value: unknown, max: number) => value === null || (typeof value === "string" && value.length <= max);
const length = (value: unknown) => (Array.isArray(value) ? value.length : 0);

/** A column of JSON, which one driver hands over parsed and the other as text. */
function jsonOf(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : value;
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Date) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...stringsIn(inner)]);
}
