import { describe, expect, test } from "vitest";
import { judge } from "../../server/core/messages.ts";
import type { Message } from "../../server/core/model.ts";
import type { Amendment, Judgement } from "../../server/core/store.ts";
import { draft, profileOf } from "../support/storage.ts";

const sender = profileOf("sender");
const people = { sender: sender.id, creator: "creator", member: "member" };
type Person = keyof typeof people;
type State = "plain" | "pinned" | "deleted" | "with media" | "with an attachment";

const NOW = "2020-01-01T00:00:00.000Z";

function messageThatIs(state: State): Message {
  const { idFromClient: _, ...content } = draft(sender, "group", { text: "said" });
  return {
    ...content,
    replyQuote: null,
    ...(state === "deleted" && { text: "" }),
    ...(state === "with media" && { mediaUrl: "https://a.example/1" }),
    ...(state === "with an attachment" && { attachments: ["https://a.example/1"] }),
    seq: 1,
    changedSeq: 1,
    createdAt: NOW,
    editedAt: null,
    deletedAt: state === "deleted" ? NOW : null,
    deletedBy: null,
    pinnedAt: state === "pinned" ? NOW : null,
    pinnedBy: null,
  };
}

type Deed = "edit to new" | "edit to said" | "edit to nothing" | "delete" | "pin" | "unpin";

function amendmentOf(deed: Deed, userId: string): Amendment {
  const common = { userId, conversationId: null, messageId: "message" };
  switch (deed) {
    case "edit to new":
      return { kind: "edit", ...common, text: "new" };
    case "edit to said":
      return { kind: "edit", ...common, text: "said" };
    case "edit to nothing":
      return { kind: "edit", ...common, text: "" };
    case "delete":
      return { kind: "delete", ...common };
    case "pin":
    case "unpin":
      return { kind: "pin", ...common, pinned: deed === "pin" };
  }
}

/** By state and deed: what the sender, the group's creator and another member are told. */
const TABLE: readonly (readonly [State, Deed, Judgement, Judgement, Judgement])[] = [
  ["plain", "edit to new", "apply", "forbidden", "forbidden"],
  ["plain", "edit to said", "unchanged", "forbidden", "forbidden"],
  ["plain", "edit to nothing", "empty", "forbidden", "forbidden"],
  ["plain", "delete", "apply", "apply", "forbidden"],
  ["plain", "pin", "apply", "apply", "apply"],
  ["plain", "unpin", "unchanged", "unchanged", "unchanged"],
  ["pinned", "edit to new", "apply", "forbidden", "forbidden"],
  ["pinned", "delete", "apply", "apply", "forbidden"],
  ["pinned", "pin", "unchanged", "unchanged", "unchanged"],
  ["pinned", "unpin", "apply", "apply", "apply"],
  ["deleted", "edit to new", "forbidden", "forbidden", "forbidden"],
  ["deleted", "edit to nothing", "forbidden", "forbidden", "forbidden"],
  ["deleted", "delete", "unchanged", "unchanged", "forbidden"],
  ["deleted", "pin", "forbidden", "forbidden", "forbidden"],
  ["deleted", "unpin", "unchanged", "unchanged", "unchanged"],
  ["with media", "edit to nothing", "apply", "forbidden", "forbidden"],
  ["with an attachment", "edit to nothing", "apply", "forbidden", "forbidden"],
];

describe.each(TABLE)("a message that is %s: %s", (state, deed, ofSender, ofCreator, ofMember) => {
  const expected: Record<Person, Judgement> = { sender: ofSender, creator: ofCreator, member: ofMember };
  test.each(Object.entries(expected))("by the %s: %s", (person, judgement) => {
    const userId = person === "sender" ? people.sender : person;
    const context = { message: messageThatIs(state), creatorId: people.creator };
    expect(judge(amendmentOf(deed, userId), context)).toBe(judgement);
  });
});

test("a direct conversation has no creator: who did not send does not delete", () => {
  const context = { message: messageThatIs("plain"), creatorId: null };
  expect(judge(amendmentOf("delete", people.member), context)).toBe("forbidden");
});
