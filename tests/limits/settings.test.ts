import { expect, it } from "vitest";
import { errorFrame } from "../../server/protocol/channels.ts";
import { describeOnBoth } from "../support/stack.ts";
import { ownRoom } from "./room.ts";

describeOnBoth("MAX_MESSAGE_CHARS", { settings: { MAX_MESSAGE_CHARS: "5" } }, (stack) => {
  it("is the code points of a text, sent or edited", async () => {
    const { socket } = await ownRoom(stack());
    socket.send({ type: "chat_message", message: "😀😀😀😀😀" });
    const { id } = await socket.receive();
    const message = "message: expected at most 5 characters";
    for (const type of ["chat_message", "edit_message"]) {
      socket.send({ type, message: "123456", ...(type === "edit_message" && { id }) });
      const refusal = { type: "error", code: "invalid_frame", message, event: type };
      expect(errorFrame.parse(await socket.receive())).toEqual(refusal);
    }
    socket.send({ type: "edit_message", id, message: "12345" });
    expect(await socket.receive()).toMatchObject({ type: "message_edited", message: "12345", seq: 2 });
  });

  it("holds over HTTP too", async () => {
    await stack().introduce("poster");
    const post = (message: string) => stack().request("poster", "POST", "/api/rooms/poster/messages", { message });
    expect(await post("123456")).toMatchObject({ status: 400, body: { error: { code: "invalid_frame" } } });
    expect(await post("12345")).toMatchObject({ status: 201, body: { seq: 1 } });
  });
});

describeOnBoth("MAX_GROUP_MEMBERS", { settings: { MAX_GROUP_MEMBERS: "3" } }, (stack) => {
  it("is never passed, neither by making a group nor by adding to it", async () => {
    await stack().introduce("owner", "one", "two", "three");
    const make = (members: string[]) =>
      stack().request("owner", "POST", "/api/conversations", { type: "group", name: "Few", members });
    const tooMany = {
      status: 400,
      body: { error: { code: "invalid_frame", message: "members: a group has at most 3" } },
    };
    expect(await make(["one", "two", "three"])).toMatchObject(tooMany);
    const { status, body } = await make(["one", "two"]);
    expect(status).toBe(201);
    const add = { members: ["three"] };
    expect(await stack().request("owner", "POST", `/api/conversations/${body.id}/members`, add)).toMatchObject(tooMany);
    const group = await stack().request("owner", "GET", `/api/conversations/${body.id}`);
    expect(group.body).toMatchObject({ members_count: 3 });
  });
});
