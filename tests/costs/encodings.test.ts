/** What an event costs to encode, counted: every text that the server makes a WebSocket frame of. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { MemoryBroker } from "../../server/channel-layer/memory.ts";
import type { Profile } from "../../server/core/model.ts";
import { encodings } from "../../server/transport/delivery.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { introduce, openEmbedded, type Storage } from "../support/storage.ts";
import { CountedNode } from "./counted-node.ts";
import { enterRoom, groupOf, hearJoin, openBadges, openChats, openRoomLists } from "./people.ts";

const encoded = vi.hoisted((): string[] => []);

vi.mock(import("../../server/transport/frame.ts"), async (importOriginal) => {
  const original = await importOriginal();
  return {
    ...original,
    encodeTextFrame: (text) => {
      encoded.push(text);
      return original.encodeTextFrame(text);
    },
  };
});

/** The names of the frames that were encoded since the last call, in the order of the alphabet. */
function encodedNames(): string[] {
  const frames: Frame[] = encoded.splice(0).map((text) => JSON.parse(text));
  return frames.map((frame) => frame.type ?? frame.event).toSorted();
}

/** The next frame of each has come; resolves with the last one's. */
async function hear(sockets: readonly Communicator[]): Promise<Frame> {
  let frame: Frame;
  for (const socket of sockets) frame = await socket.receive();
  return frame;
}

describe("encodings", () => {
  let storage: Storage;
  let node: CountedNode;
  beforeAll(async () => {
    storage = await openEmbedded();
    node = await CountedNode.start(storage.store, new MemoryBroker().join());
  });
  afterEach(() => node.disconnectAll());
  afterAll(async () => {
    await node?.close();
    await storage?.close();
  });

  test("of each event: one for each dialect, with 30 room, 5 live chat and 5 rooms sockets of 40 users", async () => {
    const { id, members } = await groupOf(storage.store, 40);
    const chats = await openChats(node, members.slice(30, 35));
    const lists = await openRoomLists(node, members.slice(35));
    const rooms = await enterRoom(node, id, members.slice(0, 30));
    const everybody = [...rooms, ...chats, ...lists];
    const [ofOne, ofOther] = rooms as [Communicator, Communicator];

    const costs = async (frame: object, hearers: readonly Communicator[], sender = ofOne) => {
      encoded.length = 0;
      const before = encodings.made;
      sender.send(frame);
      const heard = await hear(hearers);
      const made = encodings.made - before;
      return { heard, made, names: encodedNames() };
    };
    const sent = await costs({ type: "chat_message", message: "hello" }, everybody);
    expect(sent).toMatchObject({ made: 3, names: ["chat:message_receive", "chat_message", "message"] });
    const message = sent.heard.data._id;
    const edited = await costs({ type: "edit_message", id: message, message: "hi" }, everybody);
    expect(edited).toMatchObject({ made: 3, names: ["chat:message_edited", "edited", "message_edited"] });
    const pinned = await costs({ type: "pin_message", id: message, pinned: true }, everybody, ofOther);
    expect(pinned).toMatchObject({ made: 3, names: ["chat:message_pinned", "message_pinned", "pin message"] });
    const read = await costs({ type: "read_messages" }, everybody, ofOther);
    expect(read).toMatchObject({ made: 3, names: ["chat:message_read", "messages_read", "seen"] });
    const typed = await costs({ type: "typing", is_typing: true }, everybody.slice(1));
    expect(typed).toMatchObject({ made: 3, names: ["chat:typing_start", "typing", "user_typing"] });
    const deleted = await costs({ type: "delete_message", id: message }, everybody);
    expect(deleted).toMatchObject({ made: 3, names: ["chat:message_deleted", "delete", "message_deleted"] });
  });

  test("of a direct message: one for each of the two names of its room, and one for live chat", async () => {
    const [alice, bob] = await introduce(storage.store, "alice", "bob");
    const ofAlice = await enterRoom(node, bob.username, [alice]);
    const ofBob = await enterRoom(node, alice.username, [bob]);
    for (const socket of ofAlice) await hearJoin(socket, bob);
    for (let more = 0; more < 4; more += 1) {
      ofAlice.push(await enterAgain(node, bob.username, alice));
      ofBob.push(await enterAgain(node, alice.username, bob));
    }
    const everybody = [...ofAlice, ...ofBob, ...(await openChats(node, [alice, bob, alice, bob]))];

    encoded.length = 0;
    const before = encodings.made;
    ofAlice[0]?.send({ type: "chat_message", message: "hello" });
    const { data } = await hear(everybody);
    expect(encodings.made - before).toBe(3);
    expect(encodedNames()).toEqual(["chat:message_receive", "chat_message", "chat_message"]);
    // The name of the room is said in no other frame.
    ofAlice[0]?.send({ type: "edit_message", id: data.id, message: "hi" });
    await hear(everybody);
    expect(encodings.made - before).toBe(5);
    expect(encodedNames()).toEqual(["chat:message_edited", "message_edited"]);
  });

  test("of a badge's count: one for the first badge that ever shows it", async () => {
    // It is the only test of this file that opens any.
    encoded.length = 0;
    for (const group of [await groupOf(storage.store, 31), await groupOf(storage.store, 31)]) {
      const [sender, ...others] = group.members;
      const badges = [...(await openBadges(node, others)), ...(await openBadges(node, others))];
      const [room] = await enterRoom(node, group.id, sender === undefined ? [] : [sender]);
      for (const unread_count of [1, 2, 3]) {
        room?.send({ type: "chat_message", message: "hello" });
        for (const badge of badges) {
          expect(await badge.receive()).toEqual({ type: "new_message_notification", unread_count });
        }
      }
      const readers = await enterRoom(node, group.id, others.slice(0, 2));
      for (const reader of readers) reader.send({ type: "read_messages" });
      for (const badge of [badges[0], badges[1]]) {
        expect(await badge?.receive()).toEqual({ type: "unread_count", unread_count: 0 });
      }
    }
    const counts = encoded.filter((text) => text.includes("unread_count"));
    expect(counts.toSorted()).toEqual([
      '{"type":"new_message_notification","unread_count":1}',
      '{"type":"new_message_notification","unread_count":2}',
      '{"type":"new_message_notification","unread_count":3}',
      '{"type":"unread_count","unread_count":0}',
    ]);
  });

  test("of what the badges of one conversation show: one for all of them", async () => {
    const { id, members } = await groupOf(storage.store, 21);
    const [sender, ...others] = members;
    const [room] = await enterRoom(node, id, sender === undefined ? [] : [sender]);
    const badges = await Promise.all(others.map((user) => node.connect(user, `/ws/notifications/${id}/`)));
    for (const badge of badges) await badge.receive();
    encoded.length = 0;
    room?.send({ type: "chat_message", message: "hello" });
    for (const badge of badges) await badge.receiveMany(3);
    expect(encodedNames()).toEqual([
      "chat_message",
      "single_conversation_last_message",
      "single_conversation_unread_count",
    ]);
  });
});

/** One more socket of somebody who is in the room: nobody is told. */
async function enterAgain(node: CountedNode, room: string, user: Profile): Promise<Communicator> {
  const socket = await node.connect(user, `/ws/${room}/`);
  expect((await socket.receive()).type).toBe("online_user_list");
  return socket;
}
