/** What ends a connection for good, what only delays it, and what costs a single request. */
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { connectEvents, connectNotifications, connectRoom, createApi } from "../../client/index.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { as, heard, history, numbered, people, reached, urlOf } from "./clients.ts";

const settings = { MAX_SOCKETS_PER_USER: "2", SEND_RATE: "2", SEND_BURST: "5" };

describeOnBoth("what the server refuses", { settings }, (stack) => {
  test("a token that expires is followed by a fresh one, and nothing is missed", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const sender = connectRoom(bob, as(alice, url()));
    const asked: boolean[] = [];
    const room = connectRoom(alice, {
      ...as(bob, url()),
      getToken: async ({ refresh }) => {
        asked.push(refresh);
        // While the old one is no good any more and there is no other yet.
        if (refresh) await sender.send("meanwhile");
        return tokenFor(bob, {}, refresh ? 3600 : 3);
      },
    });
    const told: string[] = [];
    room.on("chat_message", ({ message }) => {
      told.push(message);
    });
    const isBack = heard(room, ({ type }) => type === "resumed");
    await reached(room, "open");
    await sender.send("before");
    await isBack;
    const isLast = heard(room, (frame) => frame.type === "chat_message" && frame.message === "after");
    await sender.send("after");
    await isLast;
    expect(told).toEqual(["before", "meanwhile", "after"]);
    expect(asked).toEqual([false, true]);
    room.close();
    sender.close();
  });

  test("a wrong token is asked for once more, and then the connection is closed with 401", async () => {
    const [alice, bob] = people("alice", "bob");
    const asked: boolean[] = [];
    const room = connectRoom(bob, {
      ...as(alice, url()),
      getToken: ({ refresh }) => {
        asked.push(refresh);
        return new SignJWT()
          .setProtectedHeader({ alg: "HS256" })
          .setSubject(alice)
          .sign(new TextEncoder().encode("a secret that is not the server's own"));
      },
    });
    expect(await room.closed).toMatchObject({ code: 401 });
    expect(asked).toEqual([false, true]);
  });

  test("a member who is removed is closed with 4403, and a request that waits is rejected", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const api = createApi(as(alice, url()));
    const { id } = await api.createGroup({ name: "group", members: [bob] });
    const room = connectRoom(id, as(bob, url()));
    await reached(room, "open");
    await api.removeMember(id, bob);
    expect(await room.closed).toEqual({ code: 4403, reason: "no longer a member" });
    await expect(room.send("still here?")).rejects.toMatchObject({ code: "closed" });
  });

  test("a room that is nobody's is closed with 4404, and so is what was to be sent there", async () => {
    const [alice] = people("alice");
    const room = connectRoom("nobody-of-that-name", as(alice, url()));
    const [sent, why] = await Promise.allSettled([room.send("hello?"), room.closed]);
    expect(sent).toMatchObject({ status: "rejected", reason: { code: "closed" } });
    expect(why).toMatchObject({ value: { code: 4404 } });
  });

  test("one socket too many waits, the others stay open, and it is let in when one of them is closed", async () => {
    const [alice] = people("alice");
    const first = [connectNotifications(as(alice, url())), connectNotifications(as(alice, url()))];
    await Promise.all(first.map((connection) => reached(connection, "open")));
    const third = connectNotifications({ ...as(alice, url()), backoff: { base: 5, max: 600_000 } });
    await reached(third, "waiting");
    expect(third.state).toMatchObject({ why: { code: 4429 } });
    expect(first.map(({ state }) => state.name)).toEqual(["open", "open"]);
    first[0]?.close();
    await reached(third, "open");
    for (const connection of [...first, third]) connection.close();
  });

  test("a limited rate delays what is sent to a room, and loses and reorders nothing", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    let refusals = 0;
    const onWire = ({ text }: { text: string }) => {
      if (text.includes('"rate_limited"')) refusals += 1;
    };
    const room = connectRoom(bob, { ...as(alice, url()), onWire });
    const texts = numbered("text", 8);
    const sent = await Promise.all(texts.map((text) => room.send(text)));
    room.close();
    expect(sent.map(({ message }) => message)).toEqual(texts);
    expect((await history(alice, url(), bob)).map(({ content }) => content)).toEqual(texts);
    expect(refusals).toBeGreaterThan(0);
  });

  test.for(["/chat", "/rooms"] as const)(
    "a limited rate delays what is sent on %s, and loses and doubles nothing",
    async (path) => {
      const [alice, bob] = people("alice", "bob");
      await stack().introduce(alice, bob);
      const { id } = await createApi(as(alice, url())).createGroup({ name: "group", members: [bob] });
      const texts = numbered("text", 8);
      if (path === "/chat") {
        const events = connectEvents(path, as(alice, url()));
        await Promise.all(texts.map((content) => events.send("chat:message_send", { chatId: id, content })));
        events.close();
      } else {
        const events = connectEvents(path, as(alice, url()));
        await Promise.all(texts.map((message) => events.send("sendMessage", { room_id: id, message })));
        events.close();
      }
      const stored = await history(alice, url(), id);
      expect(stored.map(({ content }) => content).sort()).toEqual([...texts].sort());
    },
  );

  test.for([70_000, 5_000_000])(
    "a message of %i bytes is refused as too large, and the room goes on",
    async (bytes) => {
      const [alice, bob] = people("alice", "bob");
      await stack().introduce(alice, bob);
      const room = connectRoom(bob, as(alice, url()));
      const outcomes = await Promise.allSettled([
        room.send("before"),
        room.send("x".repeat(bytes)),
        room.send("after"),
      ]);
      room.close();
      expect(outcomes).toMatchObject([
        { status: "fulfilled", value: { message: "before" } },
        { status: "rejected", reason: { code: "too_large" } },
        { status: "fulfilled", value: { message: "after" } },
      ]);
      expect((await history(alice, url(), bob)).map(({ content }) => content)).toEqual(["before", "after"]);
    },
  );

  test("an event that is too large is refused, and those beside it are done", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const { id: chatId } = await createApi(as(alice, url())).createGroup({ name: "group", members: [bob] });
    const events = connectEvents("/chat", as(alice, url()));
    const outcomes = await Promise.allSettled(
      ["before", "x".repeat(70_000), "after"].map((content) => events.send("chat:message_send", { chatId, content })),
    );
    events.close();
    expect(outcomes).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { code: "too_large" } },
      { status: "fulfilled" },
    ]);
    expect((await history(alice, url(), chatId)).map(({ content }) => content)).toEqual(["before", "after"]);
  });

  test("what the server refuses for good is rejected with its code, and the room goes on", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const room = connectRoom(bob, as(alice, url()));
    const atBob = connectRoom(alice, as(bob, url()));
    const { id } = await atBob.send("bob's own");
    const outcomes = await Promise.allSettled([
      room.send("x".repeat(20_000)),
      room.edit(id, "not bob's own"),
      room.send({ message: "a client id that is none", client_id: "x".repeat(65) }),
      room.send("goes on"),
    ]);
    room.close();
    atBob.close();
    expect(outcomes).toMatchObject([
      { status: "rejected", reason: { code: "invalid_frame" } },
      { status: "rejected", reason: { code: "forbidden" } },
      { status: "rejected", reason: { code: "invalid_frame" } },
      { status: "fulfilled", value: { message: "goes on" } },
    ]);
  });

  function url(): string {
    return urlOf(stack());
  }
});
