import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { enterPair, enterRoom, makeGroup, openRoom, people, receiveSame, say } from "./sockets.ts";

const settings = { MAX_MESSAGE_CHARS: "20" };

describeOnBoth("a message", { nodes: 2, settings }, (stack) => {
  test("[FRAME-3] [ROOM-10] goes to every socket in the conversation, the sender's too", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    ofAlice.send({ type: "chat_message", message: "hello" });
    const echo = await ofAlice.receive();
    expect(echo).toEqual({
      type: "chat_message",
      id: expect.any(String),
      seq: 1,
      message: "hello",
      multimedia_url: null,
      date_added: expect.any(String),
      from_user: { username: alice },
      room: bob,
    });
    expect(await ofBob.receive()).toEqual({ ...echo, room: alice });
  });

  test("[FRAME-1] [MSG-3] carries what it was given", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const first = await say(ofAlice, "a question");
    await ofBob.receive();
    const given = {
      message: "an answer",
      multimedia_url: "https://media.example/film.mp4",
      media_type: "VIDEO",
      message_type: "text",
      attachments: ["https://files.example/plan.pdf", { url: "https://files.example/map.png", title: "Map" }],
      reply_to: first.id,
      file_identifier: "film-1",
      multimedia_url_expiration: "2030-01-01T00:00:00Z",
      client_id: "c1",
    };
    ofBob.send({ type: "chat_message", ...given });
    expect(await ofBob.receive()).toMatchObject({ seq: 2, ...given });
    expect(await ofAlice.receive()).toMatchObject({ seq: 2, ...given, room: bob });
  });

  test("[MSG-4] empty strings and null mean absent", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const plain = Object.keys(await say(ofAlice, "hello"));
    const fields = ["multimedia_url", "media_type", "message_type", "reply_to", "file_identifier"];
    const absent = [...fields, "multimedia_url_expiration", "room", "client_id"];
    for (const empty of ["", null]) {
      const echo = await say(ofAlice, "hello", Object.fromEntries(absent.map((field) => [field, empty])));
      expect(Object.keys(echo)).toEqual(plain);
      expect(echo.multimedia_url).toBeNull();
    }
  });

  test("[MSG-5] has a text, a media url or an attachment", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    for (const nothing of [{}, { message: "" }, { message: "", multimedia_url: "", attachments: [] }]) {
      ofAlice.send({ type: "chat_message", ...nothing });
      expect(await ofAlice.receive()).toMatchObject({ type: "error", code: "invalid_frame", event: "chat_message" });
    }
    for (const something of [{ multimedia_url: "photo.jpg" }, { attachments: ["https://files.example/a"] }]) {
      expect(await say(ofAlice, "", something)).toMatchObject(something);
    }
  });

  test("[MSG-1] has at most MAX_MESSAGE_CHARS code points", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    expect(await say(ofAlice, "🙂".repeat(20))).toMatchObject({ seq: 1 });
    for (const text of ["🙂".repeat(21), "a".repeat(21)]) {
      ofAlice.send({ type: "chat_message", message: text });
      expect(await ofAlice.receive()).toMatchObject({
        code: "invalid_frame",
        message: expect.stringMatching(/^message/),
      });
    }
  });

  test("[MSG-2] [MSG-3] takes no other scheme, kind of media or form of attachment", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const bad: [path: string, fields: object][] = [
      ["multimedia_url", { multimedia_url: "javascript:alert(1)" }],
      ["multimedia_url", { multimedia_url: "//elsewhere.example/a.png" }],
      ["multimedia_url", { multimedia_url: "ftp://files.example/a.png" }],
      ["media_type", { media_type: "HOLOGRAM" }],
      ["message_type", { message_type: "t".repeat(65) }],
      ["attachments.0", { attachments: ["photo.jpg"] }],
      ["attachments.1", { attachments: ["https://files.example/a", { url: "javascript:alert(1)" }] }],
      ["attachments", { attachments: Array(21).fill("https://files.example/a") }],
      ["client_id", { client_id: "c".repeat(65) }],
    ];
    for (const [path, fields] of bad) {
      ofAlice.send({ type: "chat_message", message: "hello", ...fields });
      expect(await ofAlice.receive()).toMatchObject({ code: "invalid_frame", message: expect.stringMatching(path) });
    }
    for (const url of ["photo.jpg", "/media/photo.jpg", "http://media.example/photo.jpg"]) {
      await say(ofAlice, "hello", { multimedia_url: url });
      expect(await ofBob.receive()).toMatchObject({ multimedia_url: url });
    }
  });

  test("[MSG-6] [SIGHT-1] answers a message of this conversation; another one's is refused as one that is not there", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    await stack().introduce(carol);
    const elsewhere = await say(await enterRoom(stack(), carol, alice), "elsewhere");
    const refusals = [];
    for (const id of [elsewhere.id, crypto.randomUUID()]) {
      ofAlice.send({ type: "chat_message", message: "hello", reply_to: id });
      refusals.push(await ofAlice.receive());
    }
    expect(refusals[0]).toMatchObject({ code: "forbidden", event: "chat_message" });
    expect(refusals[1]).toEqual(refusals[0]);
  });

  test("[FRAME-2] may say its room by any name of this conversation and by no other", async () => {
    const [alice, bob, carol] = people("alice", "bob", "carol");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    await stack().introduce(carol);
    const group = await makeGroup(stack(), alice, bob);
    await say(ofAlice, "hello");
    await ofBob.receive();
    const { body } = await stack().request(alice, "GET", `/api/conversations`);
    const direct = body.results.find((conversation: { type: string }) => conversation.type === "direct");
    for (const room of [bob, alice, direct.id]) {
      expect(await say(ofAlice, "named", { room })).toMatchObject({ room: bob });
      expect(await ofBob.receive()).toMatchObject({ room: alice });
    }
    for (const room of [carol, group, "nobody-of-this-name", crypto.randomUUID()]) {
      ofAlice.send({ type: "chat_message", message: "named", room, client_id: "c1" });
      expect(await ofAlice.receive()).toMatchObject({
        code: "invalid_frame",
        message: expect.stringMatching(/^room: /),
        event: "chat_message",
        client_id: "c1",
      });
    }
    const inGroup = await enterRoom(stack(), alice, group);
    inGroup.send({ type: "chat_message", message: "named", room: alice });
    expect(await inGroup.receive()).toMatchObject({ code: "invalid_frame" });
    expect(await say(inGroup, "named", { room: group })).toMatchObject({ seq: 1 });
    await ofBob.receiveNothing();
  });

  test("[FRAME-2] a frame with a name to be looked up keeps its place before the next one", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    ofAlice.send({ type: "chat_message", message: "first", room: alice });
    ofAlice.send({ type: "chat_message", message: "second" });
    expect((await ofAlice.receiveMany(2)).map(({ message }) => message)).toEqual(["first", "second"]);
  });

  test("[MSG-7] whose echo has come is in history on every node", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    for (let count = 1; count <= 5; count += 1) {
      const { id } = await say(ofAlice, `message ${count}`);
      const { body } = await stack().request(bob, "GET", `/api/rooms/${alice}/messages`, undefined, { node: 1 });
      expect(body.messages[0].id).toBe(id);
      expect(body.messages).toHaveLength(count);
    }
  });

  test("[SEQ-1] [SEQ-2] each change takes the next number; typing, presence and reading take none", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice, ofBob] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "one");
    const seqs = [(await ofBob.receive()).seq];
    const changes = [
      { type: "edit_message", id, message: "two" },
      { type: "pin_message", id, pinned: true },
      { type: "pin_message", id, pinned: false },
      { type: "delete_message", id },
    ];
    for (const change of changes) {
      ofBob.send({ type: "typing", is_typing: true });
      expect((await ofAlice.receive()).type).toBe("user_typing");
      ofAlice.send(change);
      seqs.push((await receiveSame(ofAlice, ofBob)).seq);
    }
    ofBob.send({ type: "read_messages" });
    expect(await receiveSame(ofAlice, ofBob)).toMatchObject({ type: "messages_read", seq: 1 });
    await ofBob.close();
    expect((await ofAlice.receive()).type).toBe("user_leave");
    seqs.push((await say(ofAlice, "six")).seq);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("[MSG-8] that was deleted keeps its place without content, in history and in a replay", async () => {
    const [alice, bob] = people("alice", "bob");
    const [ofAlice] = await enterPair(stack(), alice, bob);
    const { id } = await say(ofAlice, "a secret", { multimedia_url: "secret.jpg", file_identifier: "secret" });
    await say(ofAlice, "not one");
    ofAlice.send({ type: "delete_message", id });
    await ofAlice.receive();
    const { body } = await stack().request(bob, "GET", `/api/rooms/${alice}/messages`);
    expect(body.messages[1]).toMatchObject({ id, seq: 1, deleted: true, content: "", multimedia_url: null });
    expect(JSON.stringify(body)).not.toContain("secret");
    const replayed = await openRoom(stack(), bob, alice, { since: 0, node: 1 });
    expect(JSON.stringify(await replayed.receiveMany(4))).not.toContain("secret");
  });
});
