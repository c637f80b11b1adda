/** What `/ws/<room>/` answers to frames it cannot take. */
import { expect, it, test } from "vitest";
import { errorFrame } from "../../server/protocol/channels.ts";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { expectNextNumber, ownRoom } from "./room.ts";

/** A chat message with these fields, as JSON. */
const chat = (fields: object): string => JSON.stringify({ type: "chat_message", ...fields });

/** A chat message with these members, written out: for what JSON.stringify would not say. */
const chatText = (members: string): string => `{"type":"chat_message",${members}}`;

const linkNested = (depth: number): object => (depth === 1 ? {} : { inner: linkNested(depth - 1) });
const brackets = (open: string, close: string, count: number) => `${open.repeat(count)}0${close.repeat(count)}`;

interface BadFrame {
  readonly name: string;
  readonly sent: string;
  readonly code: "invalid_json" | "invalid_frame" | "unknown_type";
  /** How the message of the error begins: the path of the field. */
  readonly at: string;
  readonly event?: string;
}

const notJson: readonly BadFrame[] = ["", "hello", "{", '{"type":"chat_message",}', "{'type':'typing'}", "\u0000"].map(
  (sent) => ({ name: JSON.stringify(sent), sent, code: "invalid_json", at: "expected a JSON object" }),
);

const notAFrame: readonly BadFrame[] = ["null", "true", "42", '"text"', "[]", "[{}]", "{}", '{"type":5}'].map(
  (sent) => ({ name: sent, sent, code: "invalid_frame", at: "type: " }),
);

const unknownTypes: readonly BadFrame[] = ["nonsense", "", "user_join", "Typing", "__proto__", "constructor"].map(
  (type) => ({ name: type, sent: JSON.stringify({ type }), code: "unknown_type", at: "no such", event: type }),
);

const badFields: readonly BadFrame[] = (
  [
    ["unknown field", chat({ message: "x", colour: "red" }), "colour: unknown field"],
    ["a server's field", chat({ message: "x", from_user: { username: "bob" } }), "from_user: unknown field"],
    ["constructor", chatText('"message":"x","constructor":{"prototype":{}}'), "constructor: unknown field"],
    ["message a number", chat({ message: 5 }), "message: "],
    ["message null", chat({ message: null }), "message: "],
    ["message a huge number", chatText('"message":1e400'), "message: "],
    ["message an object", chat({ message: { text: "x" } }), "message: "],
    ["message an array of 100,000 brackets", chatText(`"message":${brackets("[", "]", 100_000)}`), "message: "],
    ["empty", chat({}), "message: "],
    ["empty text", chat({ message: "" }), "message: "],
    ["empty everything", chat({ message: "", multimedia_url: "", attachments: [] }), "message: "],
    ["10,001 characters", chat({ message: "a".repeat(10_001) }), "message: expected at most 10000"],
    ["10,001 emoji", chat({ message: "😀".repeat(10_001) }), "message: expected at most 10000"],
    ["NUL in the text", chat({ message: "a\u0000b" }), "message: must be well-formed"],
    ["a lone surrogate", chatText('"message":"\\ud83d"'), "message: must be well-formed"],
    ["a lone low surrogate", chatText('"message":"\\ude00\\ud83d"'), "message: must be well-formed"],
    ["NUL in the client id", chat({ message: "x", client_id: "\u0000" }), "client_id: "],
    ["client id of 65", chat({ message: "x", client_id: "c".repeat(65) }), "client_id: "],
    ["client id a number", chat({ message: "x", client_id: 7 }), "client_id: "],
    ["NUL in the file identifier", chat({ message: "x", file_identifier: "\u0000" }), "file_identifier: "],
    ["media type", chat({ message: "x", media_type: "HOLOGRAM" }), "media_type: "],
    ["reply to a number", chatText('"message":"x","reply_to":1e400'), "reply_to: "],
    ["reply to no id", chat({ message: "x", reply_to: "../1" }), "reply_to: "],
    ["another room", chat({ message: "x", room: "elsewhere" }), "room: "],
    ["attachments no list", chat({ attachments: "https://files.example/a" }), "attachments: "],
    ["21 attachments", chat({ attachments: Array(21).fill("https://files.example/a") }), "attachments: "],
    ["an attachment of a number", chat({ attachments: ["https://files.example/a", 5] }), "attachments.1: "],
    ["a relative attachment", chat({ attachments: ["a.png"] }), "attachments.0: "],
    ["an attachment's url", chat({ attachments: [{ url: "javascript:alert(1)" }] }), "attachments.0: "],
    ["an attachment's url a number", chat({ attachments: [{ url: 5 }] }), "attachments.0: "],
    ["NUL in an attachment", chat({ attachments: [{ name: "\u0000" }] }), "attachments.0: "],
    ["NUL in an attachment's key", chat({ attachments: [{ "\u0000": 1 }] }), "attachments.0: "],
    ["a surrogate in an attachment", chatText('"attachments":[{"a":["\\ud83d"]}]'), "attachments.0: "],
    ["an attachment 9 deep", chat({ attachments: [linkNested(9)] }), "attachments.0: "],
    [
      "an attachment of 50,000 braces",
      chatText(`"attachments":[${brackets('{"a":', "}", 50_000)}]`),
      "attachments.0: ",
    ],
  ] as const
).map(([name, sent, at]) => ({ name, sent, code: "invalid_frame", at, event: "chat_message" }));

const badUrls: readonly BadFrame[] = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  " javascript:alert(1)",
  "java\tscript:alert(1)",
  "java\nscript:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,<script>",
  "file:///etc/passwd",
  "vbscript:x",
  "blob:https://files.example/1",
  "ftp://files.example/a",
  "//files.example/a",
  "\\\\files.example\\a",
  "/\\files.example/a",
  "http://",
  "https://[",
  "a\u0000b.png",
  "a b.png",
  `https://files.example/${"a".repeat(2048)}`,
].map((url) => ({
  name: `media url ${JSON.stringify(url.slice(0, 40))}`,
  sent: chat({ multimedia_url: url }),
  code: "invalid_frame",
  at: "multimedia_url: ",
  event: "chat_message",
}));

const badCommands: readonly BadFrame[] = (
  [
    [{ type: "typing" }, "is_typing: expected true or false"],
    [{ type: "typing", is_typing: "yes" }, "is_typing: expected true or false"],
    [{ type: "typing", is_typing: true, user: "bob" }, "user: unknown field"],
    [{ type: "read_messages", id: 5 }, "id: "],
    [{ type: "read_messages", id: "no such form" }, "id: "],
    [{ type: "edit_message", message: "x" }, "id: "],
    [{ type: "edit_message", id: "an-id" }, "message: "],
    [{ type: "edit_message", id: "an-id", message: "a".repeat(10_001) }, "message: expected at most 10000"],
    [{ type: "delete_message" }, "id: "],
    [{ type: "delete_message", id: "a".repeat(65) }, "id: "],
    [{ type: "pin_message", id: "an-id" }, "pinned: expected true or false"],
    [{ type: "pin_message", id: "an-id", pinned: 1 }, "pinned: expected true or false"],
    [{ type: "read_messages", client_id: 7 }, "client_id: "],
    [{ type: "edit_message", id: "an-id", message: "x", client_id: "c".repeat(65) }, "client_id: expected at most 64"],
    [{ type: "delete_message", id: "an-id", client_id: "\u0000" }, "client_id: must be well-formed"],
    [{ type: "pin_message", id: "an-id", pinned: true, client_id: {} }, "client_id: "],
    [{ type: "typing", is_typing: true, client_id: "c1" }, "client_id: unknown field"],
    [{ type: "ping", client_id: "c1" }, "client_id: unknown field"],
    [{ type: "ping", id: 1 }, "id: unknown field"],
  ] as const
).map(([frame, at]) => ({
  name: `${frame.type}, ${at}`,
  sent: JSON.stringify(frame),
  code: "invalid_frame",
  at,
  event: frame.type,
}));

const badFrames = [...notJson, ...notAFrame, ...unknownTypes, ...badFields, ...badUrls, ...badCommands];

// Large enough for a frame of 100,000 brackets on either side.
describeOnBoth("a frame that cannot be taken", { settings: { MAX_FRAME_BYTES: "1000000" } }, (stack) => {
  it.each(badFrames)("$code: $name", async ({ sent, code, at, event }) => {
    const { socket } = await ownRoom(stack());
    socket.send(sent);
    const frame = errorFrame.parse(await socket.receive());
    expect({ code: frame.code, event: frame.event }).toEqual({ code, event });
    expect(frame.message.slice(0, at.length)).toBe(at);
    await expectNextNumber(socket, 1);
  });

  it("says to which frame it belongs", async () => {
    const { socket } = await ownRoom(stack());
    socket.send({ type: "chat_message", message: 5, client_id: "mine-1" });
    expect(await socket.receive()).toMatchObject({ event: "chat_message", client_id: "mine-1" });
    socket.send({ type: "n".repeat(1000), client_id: "mine-2" });
    expect(await socket.receive()).toMatchObject({ event: "n".repeat(64), client_id: "mine-2" });
    socket.send({ type: "chat_message", message: 5, client_id: "c".repeat(1000) });
    expect(await socket.receive()).not.toHaveProperty("client_id");
    await expectNextNumber(socket, 1);
  });

  test("a binary one is invalid_frame", async () => {
    const { socket } = await ownRoom(stack());
    socket.socket.send(Buffer.from(chat({ message: "in bytes" })));
    const refusal = { type: "error", code: "invalid_frame", message: "expected a text frame" };
    expect(errorFrame.parse(await socket.receive())).toEqual(refusal);
    await expectNextNumber(socket, 1);
  });

  test("one of a message that is nobody's to see is forbidden", async () => {
    const { socket } = await ownRoom(stack());
    for (const frame of [
      { type: "edit_message", id: "no-such-id", message: "x" },
      { type: "delete_message", id: "no-such-id" },
      { type: "pin_message", id: "no-such-id", pinned: true },
      { type: "chat_message", message: "x", reply_to: "no-such-id" },
      { type: "read_messages", id: "no-such-id" },
    ]) {
      socket.send(frame);
      expect(errorFrame.parse(await socket.receive())).toMatchObject({ code: "forbidden", event: frame.type });
    }
    await expectNextNumber(socket, 1);
  });

  test("a polluted prototype is none: __proto__ neither passes nor reaches an object", async () => {
    const { socket } = await ownRoom(stack());
    socket.send(chatText('"message":"x","__proto__":{"polluted":true}'));
    expect(await socket.receive()).toMatchObject({ code: "invalid_frame", message: "__proto__: unknown field" });
    expect({}).not.toHaveProperty("polluted");
    await expectNextNumber(socket, 1);
  });

  test.each(["/ws/notifications/", "/ws/notifications/listener/"])("%s takes none at all", async (path) => {
    const listener = await stack().connect("listener", path);
    await listener.receive();
    listener.send({ type: "chat_message", message: "x" });
    expect(errorFrame.parse(await listener.receive())).toMatchObject({ code: "unknown_type", event: "chat_message" });
    listener.send("{");
    expect(errorFrame.parse(await listener.receive())).toMatchObject({ code: "invalid_json" });
    await listener.receiveNothing();
  });
});

describeOnBoth("a frame at the edge of what is allowed", {}, (stack) => {
  it.each([
    ["10,000 characters", { message: "a".repeat(10_000) }],
    ["10,000 emoji", { message: "😀".repeat(10_000) }],
    ["20 attachments", { attachments: Array(20).fill("https://files.example/a") }],
    ["an attachment 8 deep", { attachments: [linkNested(8)] }],
    ["an attachment with the largest number", { attachments: [{ size: Number.MAX_VALUE }] }],
    ["a file name", { multimedia_url: "picture.png" }],
    ["a path with a colon", { multimedia_url: "/media/at:12/picture.png?size=1#top" }],
    ["an http URL", { multimedia_url: "http://files.example/%20?a=b" }],
    ["an HTTPS URL", { multimedia_url: "HTTPS://files.example/a" }],
    ["control characters that can be stored", { message: "a\u0001\r\n\t\u007f\u202eb" }],
  ])("%s", async (_name, fields) => {
    const { socket } = await ownRoom(stack());
    socket.send({ type: "chat_message", ...fields });
    expect(await socket.receive()).toMatchObject({ type: "chat_message", seq: 1, ...fields });
  });

  it("empty strings mean absent", async () => {
    const { socket } = await ownRoom(stack());
    const absent = { multimedia_url: "", file_identifier: "", multimedia_url_expiration: "", reply_to: "", room: "" };
    socket.send({ type: "chat_message", message: "x", client_id: "", media_type: "", ...absent });
    const frame: Frame = await socket.receive();
    expect(frame).toMatchObject({ message: "x", multimedia_url: null, seq: 1 });
    expect(frame).not.toHaveProperty("client_id");
    expect(frame).not.toHaveProperty("file_identifier");
  });
});
