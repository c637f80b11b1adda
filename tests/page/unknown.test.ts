import type { WebSocketRoute } from "playwright-core";
import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** The sockets of a page, into which a test says what the server does not say yet. */
async function sockets(person: Person): Promise<(path: string, frame: object | string) => void> {
  const open: { path: string; socket: WebSocketRoute }[] = [];
  await person.page.routeWebSocket(/.*/, (socket) => {
    socket.connectToServer();
    open.push({ path: new URL(socket.url()).pathname, socket });
  });
  return (path, frame) => {
    const heard = open.filter((one) => one.path.startsWith(path));
    if (heard.length === 0) throw new Error(`no socket at ${path}`);
    for (const { socket } of heard) socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  };
}

const UNKNOWN_FRAMES: readonly (readonly [string, object])[] = [
  ["a frame of an unknown type", { type: "message_reaction", id: "x", seq: 99, emoji: "+1" }],
  ["a frame without a type", { seq: 99 }],
  ["a frame whose type is no word", { type: { name: "x" } }],
  ["an error of an unknown kind", { type: "error", code: "later", message: "later", event: "later", detail: [] }],
  ["presence of a new shape", { type: "online_user_list", users: { bob: { status: "away" } } }],
  ["a read mark without a place", { type: "messages_read", user: null }],
];

const UNKNOWN_EVENTS: readonly (readonly [string, object])[] = [
  ["an unknown event", { event: "maintenance", data: { at: "12:00" } }],
  ["an event without data", { event: "maintenance" }],
  ["an event whose data is null", { event: "seen", data: null }],
  ["a message without fields", { event: "message", data: { room_id: "nothing" } }],
  ["an event that is a list", { event: "message", data: [] }],
];

onStage("what a later release of the server says", {}, (stage) => {
  it("is passed over in a room, and what comes after it is shown", async () => {
    const [bob] = await stage().people("bob");
    const alice = await stage().visitor("alice");
    const say = await sockets(alice);
    await alice.signIn();
    await alice.open(bob.name);
    await bob.open(alice.name);
    const expected: string[] = [];
    for (const [what, frame] of UNKNOWN_FRAMES) {
      say(`/ws/${bob.name}`, frame);
      await bob.say(`after ${what}`);
      expected.push(`after ${what}`);
      await eventually(() => alice.texts()).toEqual(expected);
    }
    // What is said to be there is there.
    await alice.say("an answer");
    await bob.message("an answer").waitFor();
  });

  it("is passed over in the list, and what comes after it is shown", async () => {
    const [bob] = await stage().people("bob");
    const alice = await stage().visitor("alice");
    const say = await sockets(alice);
    await alice.signIn();
    await bob.open(alice.name);
    await bob.say("the first");
    await alice.conversation(bob.name).waitFor();
    for (const [what, frame] of UNKNOWN_EVENTS) {
      say("/rooms", frame);
      say("/ws/notifications", { ...frame, type: "later" });
      await bob.say(`after ${what}`);
      await eventually(() => alice.conversation(bob.name).innerText()).toContain(`after ${what}`);
    }
    await alice
      .conversation(bob.name)
      .getByText(`${UNKNOWN_EVENTS.length + 1} unread`)
      .waitFor();
  });

  it("of a known kind with a new content shows the message with what is known of it", async () => {
    const [bob] = await stage().people("bob");
    const alice = await stage().visitor("alice");
    await alice.page.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((text) => socket.send(asLater(String(text))));
    });
    await alice.signIn();
    await alice.open(bob.name);
    await bob.open(alice.name);
    await bob.say("with a sticker");
    await alice.message("with a sticker").getByText("sticker.tgs").waitFor();
    await bob.say("rich text");
    await bob.say("from nobody");
    await bob.say("without a date");
    await alice.message("without a date").waitFor();
    await bob.say("after");
    await eventually(async () => (await alice.texts()).at(-1)).toBe("after");
    expect(await alice.presence.innerText()).toBe("online");
    await eventually(() => alice.conversation(bob.name).innerText()).toContain("after");
    // What could not be read as it came is there as history has it.
    await alice.message("from nobody").waitFor();
  });
});

/** What is said in some words comes as a later release might say it. */
function asLater(text: string): string {
  const frame = JSON.parse(text) as { type?: string; message?: unknown };
  if (frame.type !== "chat_message") return text;
  switch (frame.message) {
    case "with a sticker":
      return JSON.stringify({
        ...frame,
        multimedia_url: "sticker.tgs",
        media_type: "STICKER",
        attachments: { of: "another shape" },
        reactions: [],
      });
    case "rich text":
      return JSON.stringify({ ...frame, message: { rich: "text" } });
    case "from nobody":
      return JSON.stringify({ ...frame, from_user: undefined });
    case "without a date":
      return JSON.stringify({ ...frame, date_added: "later" });
    default:
      return text;
  }
}
