/** What the page keeps of a conversation: see `web/timeline.ts`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageBody, RoomServerFrame } from "../../client/index.ts";
import { BLOCK_SIZE } from "../../web/blocks.ts";
import type { TimelineMessage } from "../../web/message.ts";
import { confirmed, emptyTimeline, type Timeline, withFrame, withHistory } from "../../web/timeline.ts";

type Frame<Type extends RoomServerFrame["type"]> = Extract<RoomServerFrame, { type: Type }>;

const ALICE = { id: "alice", username: "alice", name: "", first_name: "", last_name: "", avatar: null };

function body(seq: number, fields: Partial<MessageBody> = {}): MessageBody {
  return {
    id: `m${seq}`,
    conversation_id: "c",
    seq,
    from_user: ALICE,
    date_added: "2030-01-01T12:00:00.000Z",
    content: `text ${seq}`,
    multimedia_url: null,
    media_type: null,
    message_type: null,
    attachments: [],
    reply_to: null,
    reply_message: null,
    is_story_reply: false,
    file_identifier: null,
    multimedia_url_expiration: null,
    client_id: null,
    date_edited: null,
    deleted: false,
    date_deleted: null,
    deleted_by: null,
    pinned: false,
    date_pinned: null,
    pinned_by: null,
    ...fields,
  };
}

/** From `newest` down to `oldest`, as HTTP gives them. */
function page(newest: number, oldest: number): MessageBody[] {
  return Array.from({ length: newest - oldest + 1 }, (_, index) => body(newest - index));
}

/** `created` is the number in the id, which in a replay is not the frame's `seq`. */
function chatMessage(seq: number, created = seq): Frame<"chat_message"> {
  return {
    type: "chat_message",
    id: `m${created}`,
    seq,
    message: `text ${created}`,
    multimedia_url: null,
    date_added: "2030-01-01T12:00:00.000Z",
    from_user: { username: "alice" },
    room: "alice",
  };
}

function edited(id: string, seq: number, message: string): Frame<"message_edited"> {
  return {
    type: "message_edited",
    id,
    seq,
    message,
    date_edited: "2030-01-01T12:01:00.000Z",
    from_user: { username: "alice" },
  };
}

function deleted(id: string, seq: number): Frame<"message_deleted"> {
  return { type: "message_deleted", id, seq, deleted_by: "bob" };
}

function pinned(id: string, seq: number, isPinned: boolean): Frame<"message_pinned"> {
  return { type: "message_pinned", id, seq, pinned: isPinned, pinned_by: "bob" };
}

const ONLINE: RoomServerFrame = { type: "online_user_list", users: [] };

function heard(timeline: Timeline, ...frames: RoomServerFrame[]): Timeline {
  return frames.reduce(withFrame, timeline);
}

function messagesOf({ blocks }: Timeline): TimelineMessage[] {
  return blocks.flatMap(({ messages }) => messages);
}

function seqsOf(timeline: Timeline): number[] {
  return messagesOf(timeline).map(({ seq }) => seq);
}

function messageOf(timeline: Timeline, id: string): TimelineMessage {
  const found = messagesOf(timeline).filter((message) => message.id === id);
  expect(found).toHaveLength(1);
  return found[0] as TimelineMessage;
}

/** A socket that has just been opened, and the newest page of history. */
function opened(newest: number, oldest = 1): Timeline {
  return withHistory(heard(emptyTimeline, ONLINE, { type: "resume_failed", seq: newest }), page(newest, oldest));
}

describe("order", () => {
  test("history and live frames stand in the order of creation, each once", () => {
    let timeline = heard(opened(60, 11), chatMessage(61), chatMessage(62));
    timeline = withHistory(timeline, page(10, 1));
    expect(seqsOf(timeline)).toEqual(Array.from({ length: 62 }, (_, index) => index + 1));
  });

  test("a message that comes live before the page that holds it is there once", () => {
    const timeline = withHistory(heard(emptyTimeline, chatMessage(3)), page(4, 1));
    expect(seqsOf(timeline)).toEqual([1, 2, 3, 4]);
  });

  test("whatever arrives first, the timeline is the same", () => {
    const pages = fc.constantFrom(page(10, 1), page(25, 11), page(40, 26), page(30, 20));
    const frames = fc.integer({ min: 35, max: 50 }).map((seq) => chatMessage(seq));
    fc.assert(
      fc.property(fc.array(fc.oneof(pages, frames)), (arrivals) => {
        let timeline = emptyTimeline;
        const expected = new Set<number>();
        for (const arrival of arrivals) {
          timeline = Array.isArray(arrival) ? withHistory(timeline, arrival) : withFrame(timeline, arrival);
          for (const { seq } of Array.isArray(arrival) ? arrival : [arrival]) expected.add(seq);
        }
        expect(seqsOf(timeline)).toEqual([...expected].sort((one, other) => one - other));
        const keys = timeline.blocks.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test("a message sent twice under one client id is there once", () => {
    const timeline = heard(opened(2), chatMessage(3), { ...chatMessage(3), repeated: true });
    expect(seqsOf(timeline)).toEqual([1, 2, 3]);
  });
});

describe("changes", () => {
  test("an edit changes the text and is marked", () => {
    const message = messageOf(heard(opened(2), edited("m1", 3, "other")), "m1");
    expect(message).toMatchObject({ text: "other", isEdited: true, seq: 1 });
  });

  test("a deleted message keeps its place, without content and pin", () => {
    const before = withHistory(emptyTimeline, [
      body(1, { pinned: true, multimedia_url: "https://files.example/a.png" }),
    ]);
    const message = messageOf(heard(before, deleted("m1", 2)), "m1");
    expect(message).toMatchObject({ text: "", mediaUrl: null, isPinned: false, deletedBy: "bob", seq: 1 });
  });

  test("a tombstone in history is one here, too", () => {
    const tombstone = body(1, { content: "", deleted: true, deleted_by: { id: "b", username: "bob" } });
    expect(messageOf(withHistory(emptyTimeline, [tombstone]), "m1").deletedBy).toBe("bob");
  });

  test("a pin comes and goes", () => {
    const timeline = heard(opened(1), pinned("m1", 2, true));
    expect(messageOf(timeline, "m1").isPinned).toBe(true);
    expect(messageOf(heard(timeline, pinned("m1", 3, false)), "m1").isPinned).toBe(false);
  });

  test("an edit in a replay brings the pin with it", () => {
    const change = { ...edited("m1", 3, "other"), pinned: true, pinned_by: "bob" };
    expect(messageOf(heard(opened(1), change), "m1")).toMatchObject({ text: "other", isPinned: true });
  });

  test("a change of a message that is not loaded shows nothing", () => {
    const timeline = heard(opened(20, 11), edited("m3", 21, "other"), deleted("m4", 22));
    expect(messagesOf(timeline)).toEqual(messagesOf(opened(20, 11)));
  });

  test("a page that was read before a change does not bring back what the message was", () => {
    const stale = page(10, 1);
    const timeline = heard(opened(20, 11), edited("m3", 21, "other"), deleted("m4", 22), edited("m3", 23, "newest"));
    const merged = withHistory(timeline, stale);
    expect(messageOf(merged, "m3").text).toBe("newest");
    expect(messageOf(merged, "m4").deletedBy).toBe("bob");
  });

  test("what is no change leaves the timeline itself", () => {
    const timeline = opened(2);
    const typing: RoomServerFrame = { type: "user_typing", user: "bob", is_typing: true };
    const read: RoomServerFrame = {
      type: "messages_read",
      user: "bob",
      id: "m2",
      seq: 2,
      date_read: "2030-01-01T12:00:00.000Z",
    };
    expect(heard(timeline, typing, read, { type: "user_join", user: "bob" })).toBe(timeline);
  });
});

describe("resuming", () => {
  test("what a replay numbers by its last change is put in its place by history", () => {
    // Away: 3 and 4 were sent, then 3 was edited (5).
    const replayed = heard(opened(2), ONLINE, chatMessage(4), chatMessage(5, 3), { type: "resumed", seq: 5 });
    expect(messagesOf(replayed).map(({ id }) => id)).toEqual(["m1", "m2", "m4", "m3"]);
    expect(replayed.unconfirmedAfter).toBe(2);

    const edit = body(3, { content: "other", date_edited: "2030-01-01T12:01:00.000Z" });
    const timeline = confirmed(withHistory(replayed, [body(4), edit]));
    expect(messagesOf(timeline).map(({ id }) => id)).toEqual(["m1", "m2", "m3", "m4"]);
    expect(messageOf(timeline, "m3")).toMatchObject({ text: "other", isEdited: true });
    expect(timeline.unconfirmedAfter).toBeNull();
  });

  test("a replay that is cut off is confirmed from where it began", () => {
    const cut = heard(opened(2), ONLINE, chatMessage(3));
    const again = heard(cut, ONLINE, chatMessage(4), { type: "resumed", seq: 4 });
    expect(again.unconfirmedAfter).toBe(2);
  });

  test("a resumption that brings nothing has nothing to confirm", () => {
    const timeline = heard(opened(2), ONLINE, { type: "resumed", seq: 2 }, chatMessage(3));
    expect(timeline.unconfirmedAfter).toBeNull();
  });

  test("where it fails, nothing of before is kept", () => {
    const timeline = heard(opened(2), edited("m1", 3, "other"), ONLINE, { type: "resume_failed", seq: 5_000 });
    expect(timeline).toEqual(emptyTimeline);
  });
});

describe("blocks", () => {
  test("a new message makes one block anew and leaves the others", () => {
    const before = heard(opened(BLOCK_SIZE * 2), chatMessage(BLOCK_SIZE * 2 + 1));
    const now = heard(before, chatMessage(BLOCK_SIZE * 2 + 2));
    expect(now.blocks.slice(0, -1).map((block, index) => block === before.blocks[index])).not.toContain(false);
    expect(now.blocks.at(-1)).not.toBe(before.blocks.at(-1));
    expect(now.blocks).toHaveLength(before.blocks.length);
  });

  test("a change makes anew only the block that it is in", () => {
    const before = opened(BLOCK_SIZE * 3);
    const now = heard(before, edited("m1", BLOCK_SIZE * 3 + 1, "other"));
    expect(now.blocks.map((block, index) => block === before.blocks[index])).toEqual([false, true, true]);
    expect(now.blocks.map(({ key }) => key)).toEqual(before.blocks.map(({ key }) => key));
  });

  test("older pages leave the blocks that are there", () => {
    const before = opened(150, 101);
    const now = withHistory(before, page(100, 1));
    expect(now.blocks.at(-1)).toBe(before.blocks.at(-1));
    expect(now.blocks.map(({ messages }) => messages.length)).toEqual([BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE]);
  });

  test("no block that grows at the end becomes larger than its size", () => {
    const frames = Array.from({ length: 170 }, (_, index) => chatMessage(index + 1));
    const { blocks } = heard(emptyTimeline, ...frames);
    expect(blocks.map(({ messages }) => messages.length)).toEqual([50, 50, 50, 20]);
  });
});
