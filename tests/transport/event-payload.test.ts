import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, ConversationEvent } from "../../server/core/events.ts";
import type { Message } from "../../server/core/model.ts";
import { decodeEvents, encodeEvents } from "../../server/transport/event-payload.ts";

const alice = { id: "u1", username: "alice", name: "Alice", firstName: "Alice", lastName: "", avatar: null };
const reference = { id: "u2", username: "bob" };

const text = fc.string({ unit: "grapheme" });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const message: fc.Arbitrary<Message> = fc.record({
  id: fc.uuid(),
  conversationId: fc.constant("room"),
  seq: fc.integer({ min: 1 }),
  changedSeq: fc.integer({ min: 1 }),
  sender: fc.constant(alice),
  clientId: orNull(text),
  text,
  mediaUrl: orNull(text),
  mediaType: orNull(fc.constantFrom("VIDEO" as const, "AUDIO" as const, "IMAGE" as const, "FILE" as const)),
  messageType: orNull(text),
  attachments: fc.array(fc.record({ url: fc.webUrl() }), { maxLength: 2 }),
  replyTo: orNull(fc.uuid()),
  replyQuote: orNull(
    fc.record({
      id: fc.uuid(),
      text,
      senderId: text,
      firstName: text,
      lastName: text,
      createdAt: fc.constant("2030-01-01T00:00:00.000Z"),
      isDeleted: fc.boolean(),
    }),
  ),
  isStoryReply: fc.boolean(),
  fileIdentifier: orNull(text),
  mediaUrlExpiration: orNull(text),
  opensConversation: fc.boolean(),
  createdAt: fc.constant("2030-01-01T00:00:00.000Z"),
  editedAt: orNull(fc.constant("2030-01-01T00:00:01.000Z")),
  deletedAt: orNull(fc.constant("2030-01-01T00:00:02.000Z")),
  deletedBy: orNull(fc.constant(reference)),
  pinnedAt: orNull(fc.constant("2030-01-01T00:00:03.000Z")),
  pinnedBy: orNull(fc.constant(reference)),
});

function changed(type: "message_created" | "message_edited" | "message_deleted", of: Message): Change {
  const { conversationId, seq } = of;
  return { type, conversationId, seq, membership: 1, actor: reference, message: of };
}

describe("events between nodes", () => {
  test("arrive as they were, whatever their messages have", () => {
    const change = fc
      .tuple(
        fc.constantFrom("message_created" as const, "message_edited" as const, "message_deleted" as const),
        message,
      )
      .map(([type, of]) => changed(type, of));
    const typing = text.map(
      (typed): ConversationEvent => ({
        type: "typing",
        conversationId: "room",
        user: { ...reference, firstName: "" },
        isTyping: true,
        text: typed,
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(change, typing)), (events) => {
        expect(decodeEvents(encodeEvents(events), "room")).toEqual({ events, isWhole: true });
      }),
    );
  });

  test("say nothing of what a message does not have", () => {
    const [plain] = fc.sample(message, 1);
    if (plain === undefined) throw new Error("no sample");
    const bare: Message = {
      ...plain,
      clientId: null,
      mediaUrl: null,
      mediaType: null,
      messageType: null,
      attachments: [],
      replyTo: null,
      replyQuote: null,
      isStoryReply: false,
      fileIdentifier: null,
      mediaUrlExpiration: null,
      opensConversation: false,
      editedAt: null,
      deletedAt: null,
      deletedBy: null,
      pinnedAt: null,
      pinnedBy: null,
    };
    const [sent] = JSON.parse(encodeEvents([changed("message_created", bare)]).slice(1));
    expect(Object.keys(sent.message).sort()).toEqual(["changedSeq", "createdAt", "id", "sender", "seq", "text"]);
  });
});
