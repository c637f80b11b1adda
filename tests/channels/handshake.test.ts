import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { Communicator } from "../support/communicator.ts";
import { describeOnBoth, SECRET, tokenFor } from "../support/stack.ts";
import { enterRoom, openRoom, people, say } from "./sockets.ts";

describeOnBoth("who opens a room", {}, (stack) => {
  function open(token: string | null, { query = "", headers = {} }: { query?: string; headers?: object } = {}) {
    return Communicator.connect(`${stack().nodes[0]?.sockets}/ws/notifications/${query}`, token, { ...headers });
  }

  test("[AUTH-1] a token in the header, the query or the cookie; the first place that has one decides", async () => {
    const [alice] = people("alice");
    const token = await tokenFor(alice);
    for (const socket of [
      await open(token),
      await open(null, { query: `?token=${token}` }),
      await open(null, { headers: { cookie: `token=${token}` } }),
      await open(token, { query: "?token=nonsense", headers: { cookie: "token=nonsense" } }),
    ]) {
      expect(await socket.receive()).toEqual({ type: "unread_count", unread_count: 0 });
      await socket.close();
    }
    await expect(open("nonsense", { query: `?token=${token}` })).rejects.toMatchObject({ status: 401 });
  });

  test("[AUTH-1] a token beside the subprotocol bearer, which is the answer", async () => {
    const [alice] = people("alice");
    const socket = new WebSocket(`${stack().nodes[0]?.sockets}/ws/notifications/`, ["bearer", await tokenFor(alice)]);
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    expect(socket.protocol).toBe("bearer");
    await new Promise((resolve) => {
      socket.on("close", resolve);
      socket.close();
    });
  });

  test("[AUTH-2] [AUTH-4] unsigned, wrongly signed, of another algorithm, expired, or none: 401", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const secret = (text: string) => new TextEncoder().encode(text);
    const tokens = [
      null,
      "nonsense",
      new UnsecuredJWT({}).setSubject("alice").encode(),
      await new SignJWT({})
        .setProtectedHeader({ alg: "HS256" })
        .setSubject("alice")
        .sign(secret(`not ${SECRET}`)),
      await new SignJWT({})
        .setProtectedHeader({ alg: "HS512" })
        .setSubject("alice")
        .sign(secret(SECRET.repeat(2))),
      await new SignJWT({}).setProtectedHeader({ alg: "RS256" }).setSubject("alice").sign(privateKey),
      await tokenFor("alice", {}, -1),
    ];
    for (const token of tokens) {
      await expect(open(token)).rejects.toMatchObject({ status: 401, body: { error: { code: "unauthorized" } } });
    }
  });

  test("[AUTH-3] the profile is the claims', without a username its sub, and follows them", async () => {
    const [id, name, newName] = people("66b1f0", "ann", "anna");
    const profileAfter = async (claims: Record<string, unknown>) => {
      await (await open(await tokenFor(id, claims))).close();
      return (await stack().request(id, "GET", "/api/me")).body;
    };
    expect(await profileAfter({})).toMatchObject({ id, username: id });
    expect(await profileAfter({ username: name, given_name: "Ann", picture: "ann.png" })).toMatchObject({
      id,
      username: name,
      first_name: "Ann",
      avatar: "ann.png",
    });
    expect(await profileAfter({ username: newName, first_name: "Anna" })).toMatchObject({
      username: newName,
      first_name: "Anna",
      avatar: "ann.png",
    });
  });

  test("[AUTH-5] a foreign page: 403; a page of the same origin, and no page at all, are let in", async () => {
    const [alice] = people("alice");
    const token = await tokenFor(alice);
    await expect(open(token, { headers: { origin: "https://elsewhere.example" } })).rejects.toMatchObject({
      status: 403,
      body: { error: { code: "forbidden" } },
    });
    await (await open(token, { headers: { origin: stack().nodes[0]?.http } })).close();
    await (await open(token)).close();
  });

  test("[AUTH-6] a malformed username: 401; one that another user has: 409", async () => {
    const [alice, other] = people("alice", "other");
    await stack().introduce(alice);
    for (const username of ["notifications", "with space", "a/b", "a".repeat(151), "..", "bоb", "bob\u034f"]) {
      await expect(open(await tokenFor(other, { username }))).rejects.toMatchObject({ status: 401 });
    }
    await expect(open(await tokenFor(other, { username: alice }))).rejects.toMatchObject({
      status: 409,
      body: { error: { code: "conflict" } },
    });
    await (await open(await tokenFor(other, { username: `${other}.@+-_é` }))).close();
  });

  test("[AUTH-7] a socket ends with its token: 4401", async () => {
    const [alice] = people("alice");
    const socket = await open(await tokenFor(alice, {}, 4));
    expect(await socket.closed).toEqual({ code: 4401, reason: "token expired" });
  });

  test("[AUTH-8] a frame does not say who sent it", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const socket = await enterRoom(stack(), alice, bob);
    for (const [field, value] of Object.entries({ from_user: { username: bob }, user: bob, user_id: bob })) {
      socket.send({ type: "chat_message", message: "as bob", [field]: value });
      expect(await socket.receive()).toMatchObject({ code: "invalid_frame", message: `${field}: unknown field` });
    }
    expect(await say(socket, "as alice")).toMatchObject({ seq: 1, from_user: { username: alice } });
  });

  test("[ENTER-1] frames that are sent before the room is open wait for it", async () => {
    const [alice, bob] = people("alice", "bob");
    await stack().introduce(alice, bob);
    const socket = await openRoom(stack(), alice, bob);
    socket.send({ type: "chat_message", message: "early" });
    const types = (await socket.receiveMany(3)).map((frame) => frame.type);
    expect(types).toEqual(["online_user_list", "user_join", "chat_message"]);
  });
});
