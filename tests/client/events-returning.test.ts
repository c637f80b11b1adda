/** What an event line finds when it comes back: other conversations than it left. */
import { expect, test } from "vitest";
import { connectEvents, createApi } from "../../client/index.ts";
import { describeOnBoth } from "../support/stack.ts";
import { as, generous, heard, people, reached, recorded, urlOf } from "./clients.ts";
import { cuttingProxy } from "./cutting-proxy.ts";

describeOnBoth("an event line that comes back", { settings: generous }, (stack) => {
  test("on /rooms the list comes again with what began meanwhile, and goes on live from there", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const proxy = await cuttingProxy(stack, { maxBytes: 0 });
    const events = connectEvents("/rooms", as(bob, proxy.url));
    await events.send("connectRooms", {});
    const isTold = heard(events, ({ event }) => event === `group_${bob}`);
    const old = await group(alice, bob);
    await isTold;

    proxy.takeDown();
    await reached(events, "waiting");
    const fresh = await group(alice, bob);
    for (const room of [old, fresh]) await post(alice, room, "meanwhile");
    const isBack = heard(events, ({ event }) => event === "connectRooms");
    const isResumed = heard(events, ({ event }) => event === "resumed");
    const frames = recorded(events);
    proxy.restore();
    expect((await isBack).data).toMatchObject([
      { _id: fresh, seq: 1, last_message: { message: "meanwhile" } },
      { _id: old, seq: 1 },
    ]);
    await isResumed;
    const isLast = heard(events, ({ data }) => (data as { message?: string }).message === "live");
    await post(alice, fresh, "live");
    await isLast;
    events.close();
    // What was missed in the room that it knew, then what is live in the other.
    expect(frames.filter(({ event }) => event === "message")).toMatchObject([
      { data: { room_id: old, seq: 1, message: "meanwhile" } },
      { data: { room_id: fresh, seq: 2, message: "live" } },
    ]);
  });

  test.for([
    { path: "/chat", event: "chat:message_receive", text: "content" },
    { path: "/rooms", event: "message", text: "message" },
  ] as const)(
    "on $path it comes back though one conversation is no longer the user's",
    async ({ path, event, text }) => {
      const [alice, bob] = people("alice", "bob");
      await stack().introduce(alice, bob);
      const [lost, kept] = [await group(alice, bob), await group(alice, bob)];
      const proxy = await cuttingProxy(stack, { maxBytes: 0 });
      const options = { ...as(bob, proxy.url), since: { [lost]: 0, [kept]: 0 } };
      const rooms = path === "/rooms" ? connectEvents(path, options) : null;
      await rooms?.send("connectRooms", {});
      const events = rooms ?? connectEvents("/chat", options);
      await reached(events, "open");

      proxy.takeDown();
      await reached(events, "waiting");
      await createApi(as(alice, urlOf(stack()))).removeMember(lost, bob);
      await post(alice, lost, "not for bob");
      await post(alice, kept, "for bob");
      const isOpen = reached(events, "open");
      const frames = recorded(events);
      proxy.restore();
      await isOpen;
      events.close();
      expect(frames.filter((frame) => frame.event === event)).toMatchObject([{ data: { [text]: "for bob" } }]);
      expect(frames.filter((frame) => frame.event === "error")).toMatchObject([{ data: { code: "forbidden" } }]);
    },
  );

  async function group(creator: string, member: string): Promise<string> {
    const { id } = await createApi(as(creator, urlOf(stack()))).createGroup({ name: "group", members: [member] });
    return id;
  }

  async function post(from: string, room: string, message: string): Promise<void> {
    const { status } = await stack().request(from, "POST", `/api/rooms/${room}/messages`, { message });
    expect(status).toBe(201);
  }
});
