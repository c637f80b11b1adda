/** What becomes of a conversation in the list by each event: see `web/listed.ts`. */
import { describe, expect, test } from "vitest";
import type { EventFrame } from "../../client/index.ts";
import { inOrder, type Listed, withEvent } from "../../web/listed.ts";

const ONLOOKER = { me: "me", nameOf: (id: string) => (id === "bob" ? "Bob" : null) };

const LISTED: Listed = {
  id: "c",
  name: "A group",
  imageUrl: null,
  other: null,
  last: {
    id: "m5",
    seq: 5,
    isOwn: false,
    senderName: "Bob",
    text: "five",
    mediaType: null,
    isDeleted: false,
    sentAt: "2030-01-01T12:00:05.000Z",
  },
  unread: 2,
  seq: 7,
  arrived: [],
  arrivedAfter: 7,
  readTo: 0,
  updatedAt: "2030-01-01T12:00:05.000Z",
};

function heard(event: string, data: object, listed: Listed = LISTED): Listed | null {
  return withEvent(listed, { event, data: { room_id: "c", ...data } } as EventFrame, ONLOOKER);
}

function message(seq: number, fields: object = {}) {
  return {
    _id: `m${seq}`,
    seq,
    message: `text ${seq}`,
    sender_id: "bob",
    first_name: "",
    last_name: "",
    dateCreated: `2030-01-01T12:00:${String(seq).padStart(2, "0")}.000Z`,
    ...fields,
  };
}

describe("a message", () => {
  test("of another is the last, and one more is unread", () => {
    const next = heard("message", message(8));
    expect(next).toMatchObject({ seq: 8, unread: 3, updatedAt: "2030-01-01T12:00:08.000Z" });
    expect(next?.last).toMatchObject({ id: "m8", text: "text 8", senderName: "Bob", isOwn: false });
  });

  test("of one's own leaves unread what is unread", () => {
    expect(heard("message", message(8, { sender_id: "me" }))).toMatchObject({ unread: 2, last: { isOwn: true } });
  });

  test("that came as an event of one's own name counts as well", () => {
    expect(heard("me", message(8))).toMatchObject({ seq: 8, unread: 3 });
  });

  test("that the list has already changes nothing", () => {
    expect(heard("message", message(7))).toBe(LISTED);
    expect(heard("message", message(9, { repeated: true }))).toBe(LISTED);
  });

  test("of somebody unknown is under the name that it says", () => {
    const next = heard("message", message(8, { sender_id: "x", first_name: "Xaver", last_name: "Yl" }));
    expect(next?.last?.senderName).toBe("Xaver Yl");
    expect(heard("message", message(8, { sender_id: "x" }))?.last?.senderName).toBe("x");
  });
});

describe("reading", () => {
  test("the last message leaves nothing unread", () => {
    expect(heard("seen", { user_id: "me", message_id: "m5", seq: 5 })).toMatchObject({ unread: 0 });
  });

  test("an earlier one has the server asked", () => {
    expect(heard("seen", { user_id: "me", message_id: "m4", seq: 4 })).toBeNull();
  });

  test("one of those that came since leaves those after it, without a question", () => {
    const three = [8, 9, 10].reduce((listed, seq) => heard("message", message(seq), listed) ?? listed, LISTED);
    const read = heard("seen", { user_id: "me", message_id: "m9", seq: 9 }, three);
    expect(read).toMatchObject({ unread: 1 });
    expect(heard("seen", { user_id: "me", message_id: "m8", seq: 8 }, read as Listed)).toBe(read);
  });

  test("is known of as many as are kept, and else asked about", () => {
    const many = Array.from({ length: 300 }, (_, index) => index + 8);
    const all = many.reduce((listed, seq) => heard("message", message(seq), listed) ?? listed, LISTED);
    expect(all.unread).toBe(302);
    expect(heard("seen", { user_id: "me", seq: 200 }, all)).toMatchObject({ unread: 107 });
    expect(heard("seen", { user_id: "me", seq: 50 }, all)).toBeNull();
  });

  test("of others is no count of ours", () => {
    expect(heard("seen", { user_id: "bob", message_id: "m5", seq: 5 })).toBe(LISTED);
  });
});

describe("changes", () => {
  test("an edit of the last message is seen, of another is not", () => {
    expect(heard("edited", { message_id: "m5", message: "other", seq: 8 })?.last?.text).toBe("other");
    expect(heard("edited", { message_id: "m1", message: "other", seq: 8 })).toMatchObject({
      seq: 8,
      last: { text: "five" },
    });
  });

  test("a deletion has the server asked while something is unread, and else is seen", () => {
    expect(heard("delete", { message_id: "m5", user_id: "bob", seq: 8 })).toBeNull();
    const read = { ...LISTED, unread: 0 };
    expect(heard("delete", { message_id: "m5", user_id: "bob", seq: 8 }, read)?.last).toMatchObject({
      isDeleted: true,
      text: "",
    });
  });

  test("a group gets another name and image", () => {
    expect(heard("group updated", { room_name: "B", image_url: "x.png" })).toMatchObject({
      name: "B",
      imageUrl: "x.png",
    });
  });

  test("what this page does not know is passed over", () => {
    expect(heard("reaction", { seq: 8, emoji: "+1" })).toBe(LISTED);
    expect(heard("typing", { message: "x" })).toBe(LISTED);
    expect(heard("message", {})).toBe(LISTED);
  });
});

test("the newest stands first, and of two at one moment always the same", () => {
  const at = (id: string, updatedAt: string): Listed => ({ ...LISTED, id, updatedAt });
  const some = [at("a", "2030-01-01"), at("c", "2030-01-02"), at("b", "2030-01-02")];
  expect(inOrder(some).map(({ id }) => id)).toEqual(["c", "b", "a"]);
  expect(inOrder(some.toReversed()).map(({ id }) => id)).toEqual(["c", "b", "a"]);
});
