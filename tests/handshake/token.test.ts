import { SignJWT } from "jose";
import { expect, it, test } from "vitest";
import { WebSocket } from "ws";
import { errorBody } from "../../server/protocol/errors.ts";
import { Communicator } from "../support/communicator.ts";
import { describeOnBoth, SECRET, tokenFor } from "../support/stack.ts";
import { RawClient } from "./raw-client.ts";

const PATH = "/ws/notifications/";
const firstFrame = { type: "unread_count", unread_count: 0 };

describeOnBoth("the token of a handshake", {}, (stack) => {
  const url = (path = PATH) => `${stack().nodes[0]?.sockets}${path}`;

  it("is taken from the header", async () => {
    const alice = await Communicator.connect(url(), await tokenFor("alice"));
    expect(await alice.receive()).toEqual(firstFrame);
    await alice.close();
  });

  it("is taken from the query", async () => {
    const alice = await Communicator.connect(url(`${PATH}?token=${await tokenFor("alice")}`), null);
    expect(await alice.receive()).toEqual(firstFrame);
    await alice.close();
  });

  it("is taken from the cookie", async () => {
    const cookie = `theme=dark; token=${await tokenFor("alice")}`;
    const alice = await Communicator.connect(url(), null, { cookie });
    expect(await alice.receive()).toEqual(firstFrame);
    await alice.close();
  });

  it("is taken from the subprotocol pair, which is answered with bearer alone", async () => {
    const socket = new WebSocket(url(), ["bearer", await tokenFor("alice")]);
    const frame = await new Promise((resolve, reject) => {
      socket.once("message", (data) => resolve(JSON.parse(data.toString())));
      socket.once("error", reject);
    });
    expect(frame).toEqual(firstFrame);
    expect(socket.protocol).toBe("bearer");
    socket.terminate();
  });

  it("says whose profile it is, and the profile follows it", async () => {
    const claims = { username: "Al", name: "Alice L", given_name: "Alice", family_name: "L", picture: "/al.png" };
    const connect = async (more: object) =>
      (await Communicator.connect(url(), await tokenFor("al-id", { ...claims, ...more }))).close();
    await connect({});
    const me = async () => (await stack().request("al-id", "GET", "/api/me")).body;
    expect(await me()).toMatchObject({
      id: "al-id",
      username: "Al",
      name: "Alice L",
      first_name: "Alice",
      last_name: "L",
      avatar: "/al.png",
    });
    await connect({ username: "Alice", name: "Alice Lidell", picture: null });
    expect(await me()).toMatchObject({ username: "Alice", name: "Alice Lidell", first_name: "Alice", avatar: null });
  });

  test("two sockets of one user stand side by side", async () => {
    const [one, other] = await Promise.all([stack().connect("twice", PATH), stack().connect("twice", "/ws/twice/")]);
    expect(await one.receive()).toEqual(firstFrame);
    expect(await other.receive()).toEqual({ type: "online_user_list", users: [] });
    await one.close();
    expect(await other.receive()).toEqual({ type: "user_join", user: "twice" });
    await other.receiveNothing();
  });

  it("closes the socket with 4401 when it expires", async () => {
    const brief = await Communicator.connect(url(), await tokenFor("brief", {}, 2));
    expect(await brief.receive()).toEqual(firstFrame);
    expect(await brief.closed).toEqual({ code: 4401, reason: "token expired" });
  });
});

describeOnBoth("a handshake without a valid token", {}, (stack) => {
  const url = (path = PATH) => `${stack().nodes[0]?.sockets}${path}`;
  const refusal = async (token: string | null, headers: Record<string, string> = {}) =>
    Communicator.connect(url(), token, headers).then(
      () => expect.unreachable("the handshake was accepted"),
      ({ status, body }) => ({ status, code: errorBody.parse(body).error.code, message: body.error.message }),
    );
  const signed = (claims: Record<string, unknown>, secret = SECRET) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));

  it("is refused with 401", async () => {
    expect(await refusal(null)).toMatchObject({ status: 401, code: "unauthorized" });
    expect(await refusal("rubbish")).toMatchObject({ status: 401, code: "unauthorized" });
    expect(await refusal(null, { cookie: "token=rubbish" })).toMatchObject({ status: 401, code: "unauthorized" });
    expect(await refusal(null, { authorization: "Basic YWxpY2U6" })).toMatchObject({ status: 401 });
  });

  it("is refused with 401 when it expired, is somebody else's, or unsigned", async () => {
    expect(await refusal(await tokenFor("alice", {}, -1))).toMatchObject({
      status: 401,
      message: expect.stringContaining("expired"),
    });
    expect(await refusal(await signed({ sub: "alice" }, "another secret of more than 32 bytes"))).toMatchObject({
      status: 401,
    });
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"alice"}')}.`.replaceAll("=", "");
    expect(await refusal(unsigned)).toMatchObject({ status: 401, code: "unauthorized" });
  });

  it.each([
    ["sub missing", {}],
    ["sub empty", { sub: "" }],
    ["sub of 129 characters", { sub: "a".repeat(129), username: "long" }],
    ["username with a blank", { sub: "blank", username: "two words" }],
    ["username reserved", { sub: "reserved", username: "notifications" }],
    ["username of 151 characters", { sub: "long", username: "a".repeat(151) }],
    ["username missing, sub none", { sub: "auth0|5f7c8ec7c33c6c004bbafe82" }],
  ])("is refused with 401: %s", async (_what, claims) => {
    expect(await refusal(await signed(claims))).toMatchObject({ status: 401, code: "unauthorized" });
  });

  it("is refused with 409 when another id holds the username, and not for the id that somebody chose for a room", async () => {
    await stack().introduce("holder");
    const taken = { status: 409, code: "conflict" };
    expect(await refusal(await tokenFor("pretender", { username: "holder" }))).toMatchObject(taken);
    const group = { type: "group", name: "A room", members: [], id: "the-room" };
    expect(await stack().request("holder", "POST", "/api/conversations", group)).toMatchObject({ status: 201 });
    const person = await Communicator.connect(url("/ws/holder/"), await tokenFor("the-room"));
    expect(await person.receiveType("user_join")).toMatchObject({ user: "the-room" });
    person.socket.terminate();
    expect(await refusal(await tokenFor("somebody", { username: "the-room" }))).toMatchObject(taken);
  });

  it("is answered whole and the connection ended, whatever the client goes on to say", async () => {
    const client = await RawClient.connect(stack().nodes[0]);
    client.requestUpgrade(PATH);
    const { status, headers } = await client.answer();
    expect(status).toBe(401);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(headers.get("connection")).toBe("close");
    const body = await client.rest();
    expect(Buffer.byteLength(body)).toBe(Number(headers.get("content-length")));
    expect(errorBody.parse(JSON.parse(body)).error.code).toBe("unauthorized");
  });
});
