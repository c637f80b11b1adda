/** The tables of the event dialects' pages say what the code says. */
import { expect, test } from "vitest";
import { liveChatClientEvents, liveChatServerEvents } from "../../server/protocol/live-chat.ts";
import { roomsClientEvents, roomsServerEvents } from "../../server/protocol/rooms.ts";
import { readDocument, tableRows } from "./documents.ts";

const tables = [
  ["live chat, from the client", "docs/live-chat.md", ["event", "data", "acknowledged with"], liveChatClientEvents(1)],
  ["live chat, from the server", "docs/live-chat.md", ["event", "data", "to"], liveChatServerEvents],
  ["rooms, from the client", "docs/rooms.md", ["event", "data", "answered with"], roomsClientEvents(1)],
  ["rooms, from the server", "docs/rooms.md", ["event", "data"], roomsServerEvents],
] as const;

test.each(tables)("the events of %s", (_name, path, columns, events) => {
  const names = tableRows(readDocument(path), columns).map(([name]) => name);
  expect(names.toSorted()).toEqual(Object.keys(events).toSorted());
});

test.each(tables)("the required and optional fields of %s", (_name, path, columns, events) => {
  const rows = new Map(tableRows(readDocument(path), columns).map(([name = "", data = ""]) => [name, data]));
  for (const [name, schema] of Object.entries(events)) {
    if (!("shape" in schema)) continue;
    const words = new Set(rows.get(name)?.match(/\w+/g));
    const isWhole = words.has("message") && words.has("a");
    if (isWhole || words.has("fields")) continue;
    // A replay's additions are said in its rule.
    const fields = Object.keys(schema.shape).filter((field) => !["pinned_by", "pinnedBy"].includes(field));
    const isReplayed = "pinnedBy" in schema.shape || "pinned_by" in schema.shape;
    const told = isReplayed ? fields.filter((field) => field !== "pinned" && field !== "pin_message") : fields;
    expect([...words], name).toEqual(expect.arrayContaining(told));
  }
});
