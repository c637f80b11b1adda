/** The same promise on the event dialects, where many requests are on their way at once. */
import { expect, test } from "vitest";
import { connectEvents, createApi, type EventFrame, type Events, type RoomsMessage } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, generous, history, numbered, people, range, urlOf } from "./clients.ts";
import { cuttingProxy, seed } from "./cutting-proxy.ts";

/** Of each of the two, in each conversation. */
const MESSAGES = 100;
/** After a cut 32 requests are asked again and answered twice: a line that lives for less gets nowhere. */
const MAX_BYTES = { "/chat": 30_000, "/rooms": 60_000 };

describeOnBoth("events over lines that are cut", { settings: generous }, (stack) => {
  test(`live chat: what two people send is stored once, and told to both once, in order and without a gap (DELIVERY_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    const [alice, bob] = people("alice", "bob");
    const proxy = await cuttingProxy(stack, { maxBytes: MAX_BYTES["/chat"] });
    const chatId = await group(alice, bob);
    const since = { [chatId]: 0 };
    const both = [alice, bob].map((username) => {
      const events = connectEvents("/chat", { ...as(username, proxy.url), since });
      return {
        username,
        events,
        told: toldIn(events, "chat:message_receive", "chatId", [chatId]),
        resumed: resumedOf(events),
      };
    });

    const sent = await Promise.all(
      both.map(({ username, events }) =>
        Promise.all(
          numbered(username, MESSAGES).map((content) => events.send("chat:message_send", { chatId, content })),
        ),
      ),
    );
    await Promise.all(both.map(({ told }) => told.complete));
    for (const { events } of both) events.close();

    const stored = await history(alice, urlOf(stack()), chatId);
    expect(stored.map(({ seq }) => seq)).toEqual(range(1, 2 * MESSAGES));
    for (const [index, { username, told }] of both.entries()) {
      const own = stored.filter(({ from_user }) => from_user.username === username);
      expect(own.map(({ content }) => content)).toEqual(numbered(username, MESSAGES));
      expect(sent[index]?.map(({ id, seq, content }) => ({ id, seq, content }))).toEqual(
        own.map(({ id, seq, content }) => ({ id, seq, content })),
      );
      expect(told.of(chatId)).toEqual(stored.map(({ seq }) => seq));
    }
    expect(proxy.cuts).toBeGreaterThan(4);
    expect(both.reduce((sum, { resumed }) => sum + resumed(), 0)).toBeGreaterThan(both.length);
  });

  test(`rooms: what two people send in two rooms is stored once, and told to both once, in each room's order and without a gap (DELIVERY_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    const [alice, bob] = people("alice", "bob");
    const proxy = await cuttingProxy(stack, { maxBytes: MAX_BYTES["/rooms"] });
    const rooms = [await group(alice, bob), await group(bob, alice)];
    const since = Object.fromEntries(rooms.map((room) => [room, 0]));
    const both = [alice, bob].map((username) => {
      const events = connectEvents("/rooms", { ...as(username, proxy.url), since });
      return { username, events, told: toldIn(events, "message", "room_id", rooms), resumed: resumedOf(events) };
    });

    const sent = await Promise.all(
      both.map(async ({ username, events }) => {
        await events.send("connectRooms", {});
        const sending = numbered(username, MESSAGES).flatMap((message) =>
          rooms.map((room_id) => events.send("sendMessage", { room_id, message })),
        );
        return Promise.all<RoomsMessage>(sending);
      }),
    );
    await Promise.all(both.map(({ told }) => told.complete));
    for (const { events } of both) events.close();

    for (const room of rooms) {
      const stored = await history(alice, urlOf(stack()), room);
      expect(stored.map(({ seq }) => seq)).toEqual(range(1, 2 * MESSAGES));
      for (const [index, { username, told }] of both.entries()) {
        const own = stored.filter(({ from_user }) => from_user.username === username);
        expect(own.map(({ content }) => content)).toEqual(numbered(username, MESSAGES));
        const acknowledged = sent[index]?.filter(({ room_id }) => room_id === room);
        expect(acknowledged?.map(({ _id, seq }) => ({ id: _id, seq }))).toEqual(
          own.map(({ id, seq }) => ({ id, seq })),
        );
        expect(told.of(room)).toEqual(stored.map(({ seq }) => seq));
      }
    }
    expect(proxy.cuts).toBeGreaterThan(4);
    expect(both.reduce((sum, { resumed }) => sum + resumed(), 0)).toBeGreaterThan(both.length * rooms.length);
  });

  async function group(creator: string, member: string): Promise<string> {
    await stack().introduce(creator, member);
    const { id } = await createApi(as(creator, urlOf(stack()))).createGroup({ name: "group", members: [member] });
    return id;
  }
});

/** The seqs of the messages that were told, for each conversation; `complete` when the last one of each was. */
function toldIn(
  events: Events<"/chat" | "/rooms">,
  event: string,
  field: "chatId" | "room_id",
  ids: readonly string[],
) {
  const seqs = new Map<string, number[]>(ids.map((id) => [id, []]));
  const complete = new Promise<void>((resolve) => {
    events.on(event, (data) => {
      const { [field]: id = "", seq } = data as { chatId?: string; room_id?: string; seq: number };
      seqs.get(id)?.push(seq);
      if ([...seqs.values()].every((told) => (told.at(-1) ?? 0) >= 2 * MESSAGES)) resolve();
    });
  });
  return { complete, of: (id: string) => seqs.get(id) };
}

/** How often a replay came to its end. */
function resumedOf(events: Events<"/chat" | "/rooms">): () => number {
  let count = 0;
  events.onFrame(({ event }: EventFrame) => {
    if (event === "resumed" || event === "chat:resumed") count += 1;
  });
  return () => count;
}
