import { expect, it } from "vitest";
import { errorBody } from "../../server/protocol/errors.ts";
import { Communicator } from "../support/communicator.ts";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { RawClient } from "./raw-client.ts";

/** 150 characters of four bytes each: nothing longer can be a name. */
const LONGEST_NAME = "𠮷".repeat(150);

describeOnBoth("a socket path", {}, (stack) => {
  const connect = async (path: string, username = "alice") =>
    Communicator.connect(`${stack().nodes[0]?.sockets}${path}`, await tokenFor(username));

  it.each(["/", "/ws", "/ws/a/b", "/ws/notifications/bob/more", "/nowhere", "/api/me", "/healthz", "/chats"])(
    "there is none at %s: 404",
    async (path) => {
      await expect(connect(path)).rejects.toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    },
  );

  it.each(["/ws/bob/", "/ws/bob", "/ws/notifications/", "/ws/notifications/bob/"])(
    "%s answers a plain GET with 426",
    async (path) => {
      const response = await fetch(`${stack().nodes[0]?.http}${path}`);
      expect(response.status).toBe(426);
      expect(response.headers.get("upgrade")).toBe("websocket");
      expect(errorBody.parse(await response.json()).error.message).toContain("WebSocket");
    },
  );

  it("knows no other method", async () => {
    const response = await fetch(`${stack().nodes[0]?.http}/ws/bob/`, { method: "POST" });
    expect(response.status).toBe(404);
    expect(errorBody.parse(await response.json()).error.code).toBe("not_found");
  });

  it.each(["/ws/alice/", "/ws/alice", "/ws/%61lice/", "/ws/alice?since=0", "/ws/alice/?since=0"])(
    "%s is the room of alice",
    async (path) => {
      const alice = await connect(path);
      expect(await alice.receive()).toEqual({ type: "online_user_list", users: [] });
      await alice.close();
    },
  );

  it.each(["/ws/notifications", "/ws/notifications?x=1", "/ws/notifications/"])("%s is the total", async (path) => {
    const alice = await connect(path);
    expect(await alice.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    await alice.close();
  });

  it("takes a name of 150 characters in any script, percent-encoded", async () => {
    const claims = { username: LONGEST_NAME };
    const url = `${stack().nodes[0]?.sockets}/ws/${encodeURIComponent(LONGEST_NAME)}/`;
    const own = await Communicator.connect(url, await tokenFor("polyglot", claims));
    expect(await own.receive()).toEqual({ type: "online_user_list", users: [] });
    expect(await own.receive()).toEqual({ type: "user_join", user: LONGEST_NAME });
    own.send({ type: "chat_message", message: "to myself", room: LONGEST_NAME });
    expect(await own.receive()).toMatchObject({ message: "to myself", room: LONGEST_NAME, seq: 1 });
    await own.close();
  });

  it.each(["/ws/nobody/", "/ws/a%2Fb/", "/ws/a%20b/", "/ws/%00/", "/ws/%F0%9F%98%80/", "/ws/..%2F..%2Fapi/"])(
    "%s names nothing: 4404",
    async (path) => {
      const alice = await connect(path);
      expect(await alice.closed).toEqual({ code: 4404, reason: "no such room" });
    },
  );

  it("names nothing for the notifications of nobody: 4404", async () => {
    const alice = await connect("/ws/notifications/nobody/");
    expect(await alice.closed).toEqual({ code: 4404, reason: "no such room" });
  });

  it.each(["/ws/%zz/", "/ws/%/", "/ws/%E0%A4%A/", "/ws/%C3%28/", "/ws/%ED%A0%80/", `/ws/${"a".repeat(2000)}/`])(
    "is refused with a 4xx and the error body: %s",
    async (path) => {
      const client = await RawClient.connect(stack().nodes[0]);
      client.requestUpgrade(path, { authorization: `Bearer ${await tokenFor("alice")}` });
      const { status, headers } = await client.answer();
      expect([400, 404, 414]).toContain(status);
      expect(headers.get("content-type")).toContain("application/json");
      client.socket.end();
      expect(errorBody.parse(JSON.parse(await client.rest())).error.message).not.toBe("");
    },
  );

  it("is refused with 400 when the upgrade itself is not RFC 6455's", async () => {
    const authorization = `Bearer ${await tokenFor("alice")}`;
    for (const wrong of [{ "sec-websocket-version": "7" }, { "sec-websocket-key": "short" }]) {
      const client = await RawClient.connect(stack().nodes[0]);
      client.requestUpgrade("/ws/alice/", { authorization, ...wrong });
      expect(await client.answer()).toMatchObject({ status: 400 });
      await client.rest();
    }
  });
});
