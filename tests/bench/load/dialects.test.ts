import { describe, expect, test } from "vitest";
import { channelsDialect } from "../../../bench/load/channels-dialect.ts";
import { type Dialect, KIND } from "../../../bench/load/dialect.ts";
import { socketIoDialect } from "../../../bench/load/socket-io-dialect.ts";

const kindName = (kind: number) => Object.entries(KIND).find(([, value]) => value === kind)?.[0];

function kindOf(dialect: Dialect, text: string): string | undefined {
  const bytes = Buffer.from(`before${text}after`);
  return kindName(dialect.kindOf(bytes, 6, 6 + Buffer.byteLength(text)));
}

test.each([
  ['{"type":"chat_message","id":"x","seq":1}', "message"],
  ['{"type":"new_message_notification","unread_count":1}', "badge"],
  ['{"type":"unread_count","unread_count":1}', "badge"],
  ['{"type":"error","code":"forbidden"}', "refusal"],
  ['{"type":"user_join","user":"a"}', "other"],
  ['{"type":"user_typing","user":"a"}', "other"],
  ['{"type":"online_user_list","users":[]}', "other"],
  ['{"type":"chat_messages"}', "other"],
  ['{"seq":1,"type":"chat_message"}', "refusal"],
  ["", "refusal"],
])("channels: %s is a %s", (text, kind) => {
  expect(kindOf(channelsDialect, text)).toBe(kind);
});

test.each([
  ['42["chat_message",{"seq":1}]', "message"],
  ['42["new_message_notification",{"unread_count":1}]', "badge"],
  ['42["unread_count",{"unread_count":1}]', "badge"],
  ['42["other",{}]', "other"],
  ["430[]", "other"],
  ["2", "keepAlive"],
  ["41", "refusal"],
  ['44{"message":"no"}', "refusal"],
])("socket.io: %s is a %s", (text, kind) => {
  expect(kindOf(socketIoDialect, text)).toBe(kind);
});

describe("opening", () => {
  test("channels: a room is open with its first frame", () => {
    const { path, headers, next } = channelsDialect.room("team", "token");
    expect([path, headers]).toEqual(["/ws/team/", { Authorization: "Bearer token" }]);
    expect(next('{"type":"online_user_list","users":[]}')).toEqual({ step: "open" });
    expect(() => next('{"type":"error","code":"internal"}')).toThrow("internal");
  });

  test("channels: a badge is open with its first count", () => {
    const { path, next } = channelsDialect.badge("token");
    expect(path).toBe("/ws/notifications/");
    expect(next('{"type":"something"}')).toEqual({ step: "wait" });
    expect(next('{"type":"unread_count","unread_count":3}')).toEqual({ step: "open" });
  });

  test("socket.io: a room is open when it was joined, a badge with its first count", () => {
    const room = socketIoDialect.room("team", "token");
    expect(room.next('0{"sid":"s","pingInterval":25000}')).toEqual({ step: "send", text: '40{"token":"token"}' });
    expect(room.next('40{"sid":"t"}')).toEqual({ step: "send", text: '420["join",{"room":"team"}]' });
    expect(room.next("2")).toEqual({ step: "send", text: "3" });
    expect(room.next("430[]")).toEqual({ step: "open" });
    const badge = socketIoDialect.badge("token");
    expect(badge.next('40{"sid":"t"}')).toEqual({ step: "send", text: '420["notifications",{}]' });
    expect(badge.next("430[]")).toEqual({ step: "wait" });
    expect(badge.next('42["unread_count",{"unread_count":0}]')).toEqual({ step: "open" });
    expect(() => badge.next('44{"message":"no"}')).toThrow("no");
  });
});
