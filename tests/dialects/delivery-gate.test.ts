import { expect, test } from "vitest";
import type { Change } from "../../server/core/events.ts";
import type { Message } from "../../server/core/model.ts";
import { Delivery } from "../../server/transport/delivery.ts";
import { DeliveryGate } from "../../server/transport/delivery-gate.ts";

const sender = { id: "alice", username: "alice", name: "Alice", firstName: "", lastName: "", avatar: null };

function created(conversationId: string, seq: number): Delivery {
  const message: Message = {
    id: `${conversationId}-${seq}`,
    conversationId,
    seq,
    changedSeq: seq,
    sender,
    clientId: null,
    opensConversation: false,
    createdAt: "2030-01-01T00:00:00.000Z",
    editedAt: null,
    deletedAt: null,
    deletedBy: null,
    pinnedAt: null,
    pinnedBy: null,
    text: "hi",
    mediaUrl: null,
    mediaType: null,
    messageType: null,
    attachments: [],
    replyTo: null,
    replyQuote: null,
    isStoryReply: false,
    fileIdentifier: null,
    mediaUrlExpiration: null,
  };
  const change: Change = { type: "message_created", conversationId, seq, membership: 0, message, actor: sender };
  return new Delivery(change);
}

/** The gate, and what it let through, as the ids of the messages. */
function openGate(maxBytes = 10_000_000) {
  const passed: string[] = [];
  const overflows: string[] = [];
  const gate = new DeliveryGate({
    deliver: ({ event }) => passed.push("message" in event ? event.message.id : event.type),
    maxBytes,
    overflow: () => overflows.push("overflow"),
  });
  return { gate, passed, overflows };
}

test("[RESUME-5] [LIVE-9] [ROOMS-13] what was told from storage is not told again when it is heard late", () => {
  const { gate, passed, overflows } = openGate();
  const hear = (conversationId: string, seq: number) => gate.hear(created(conversationId, seq));
  hear("a", 3);
  hear("a", 5);
  hear("b", 1);
  gate.open(new Map([["a", 4]]));
  expect(passed).toEqual(["a-5", "b-1"]);
  gate.shut();
  hear("a", 6);
  hear("b", 2);
  gate.forget("b");
  gate.open(new Map([["a", 8]]));
  hear("a", 7);
  hear("a", 8);
  hear("a", 9);
  hear("b", 3);
  expect(passed).toEqual(["a-5", "b-1", "a-9", "b-3"]);
  expect(overflows).toEqual([]);
});

test("who takes too long over a replay is told so, once", () => {
  const { gate, passed, overflows } = openGate();
  for (let seq = 1; seq <= 5_001; seq += 1) gate.hear(created("a", seq));
  expect([passed, overflows]).toEqual([[], ["overflow"]]);
});

test("so is one for whom too much was kept, however little of it", () => {
  const delivery = created("a", 1);
  const { gate, passed, overflows } = openGate(3 * delivery.byteLength);
  for (let kept = 0; kept < 3; kept += 1) gate.hear(delivery);
  gate.forget("a");
  for (let kept = 0; kept < 3; kept += 1) gate.hear(delivery);
  expect(overflows).toEqual([]);
  gate.hear(created("b", 1));
  expect([passed, overflows]).toEqual([[], ["overflow"]]);
});
