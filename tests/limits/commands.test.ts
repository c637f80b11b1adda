/** What users ask of a node, in units of work. The clock stands still, so that what is spent does not come back. */
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";

const OPENING = 5;
const BURST = 45;
/** Refused frames wait for a unit that the clock will not bring: at this rate hardly at all. */
const settings = { COMMAND_BURST: `${BURST}`, COMMAND_RATE: "1000", SEND_RATE: "1", SEND_BURST: "10" };

const PATHS = ["/ws/me/", "/ws/notifications/", "/ws/notifications/me/", "/chat", "/rooms"];

const isEvents = (path: string) => !path.startsWith("/ws/");
const frameOf = (path: string, name: string, more: object = {}) =>
  isEvents(path) ? { event: name, data: {}, ...more } : { type: name, ...more };
const nameIn = (frame: Frame): string => frame.type ?? frame.event;
const failureIn = (frame: Frame) => frame.data ?? frame;

let people = 0;
beforeEach(() => {
  vi.spyOn(performance, "now").mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Somebody new: what they have spent was spent here. */
function newcomer(): string {
  people += 1;
  return `spender-${people}`;
}

describeOnBoth("units of work", { settings }, (stack) => {
  const connect = (name: string, path: string) => stack().connect(name, path.replace("me", name));

  /** Passes over what comes on connect; costs a unit. */
  async function ready(name: string, path: string): Promise<Communicator> {
    const socket = await connect(name, path);
    socket.send(frameOf(path, "ping"));
    const awaited = new Set(path === "/ws/me/" ? ["user_join", "pong"] : ["pong"]);
    while (awaited.size > 0) awaited.delete(nameIn(await socket.receive()));
    return socket;
  }

  // Embedded PostgreSQL waits for its first time to pass.
  beforeAll(async () => {
    await ready(newcomer(), "/ws/me/");
  });

  test.each(PATHS)("[LIMIT-11] [LIMIT-16] %s: the burst, then as many refused as let through", async (path) => {
    const socket = await ready(newcomer(), path);
    const left = BURST - OPENING - 1;
    for (let sent = 0; sent < left + 60; sent += 1) socket.send(frameOf(path, "ping"));
    const answers = (await socket.receiveMany(left + 60)).map(nameIn);
    expect(answers.slice(0, left)).toEqual(Array(left).fill("pong"));
    expect(answers.slice(left)).toEqual(Array(30).fill(["error", "pong"]).flat());
    // Sixty frames more, of which a half was refused, and no socket was closed for it.
    await socket.close();
  });

  test.each(PATHS)("[LIMIT-11] %s: a refusal says when, and which frame it refuses", async (path) => {
    const socket = await ready(newcomer(), path);
    for (let sent = 0; sent < BURST - OPENING - 1; sent += 1) socket.send(frameOf(path, "ping"));
    socket.send(frameOf(path, "ping", isEvents(path) ? { id: "i1" } : { client_id: "i1" }));
    await socket.receiveMany(BURST - OPENING - 1);
    const frame = await socket.receive();
    const { code, message, retry_after, event, client_id } = failureIn(frame);
    expect({ code, event }).toEqual({ code: "rate_limited", event: "ping" });
    expect(message).toBe(`too many commands; try again in ${retry_after} ms`);
    expect(retry_after).toBeGreaterThan(0);
    expect(isEvents(path) ? frame.id : client_id).toBe("i1");
  });

  test.each(PATHS)(
    "[LIMIT-11] %s: frames that nothing can be made of cost too; refused, they are not bad",
    async (path) => {
      const name = newcomer();
      const socket = await ready(name, path);
      const rubbish = [Buffer.from("binary"), "{", "[]", JSON.stringify(frameOf(path, "unheard of"))];
      const pings = BURST - OPENING - 1 - 8;
      for (let sent = 0; sent < pings; sent += 1) socket.send(frameOf(path, "ping"));
      for (let sent = 0; sent < 28; sent += 1) socket.socket.send(rubbish[sent % rubbish.length] ?? "");
      const answers = (await socket.receiveMany(pings + 28)).slice(pings).map((frame) => failureIn(frame).code);
      // Eight were still paid for, and every other one since: 18 bad frames in all, where 20 would close the socket.
      expect(answers.filter((code) => code === "rate_limited")).toHaveLength(10);
      expect(answers.slice(0, 8)).not.toContain("rate_limited");
      await socket.close();
    },
  );

  test("[LIMIT-11] are one for all sockets of a user, on any path, and each user's own", async () => {
    const [loud, quiet] = [newcomer(), newcomer()];
    const sockets: [string, Communicator][] = [];
    for (const path of PATHS) sockets.push([path, await ready(loud, path)]);
    const other = await ready(quiet, "/ws/notifications/");
    const left = BURST - PATHS.length * (OPENING + 1);
    expect(left).toBe(15);
    let through = 0;
    for (let round = 0; round < 4; round += 1) {
      for (const [path, socket] of sockets) {
        socket.send(frameOf(path, "ping"));
        if (nameIn(await socket.receive()) === "pong") through += 1;
      }
    }
    expect(through).toBe(left);
    other.send({ type: "ping" });
    expect(await other.receive()).toEqual({ type: "pong" });
  });

  test("[LIMIT-11] a long frame costs by its length, and what asks for more costs more", async () => {
    const refusedAfter = async (frame: object) => {
      const socket = await ready(newcomer(), "/rooms");
      for (let sent = 1; ; sent += 1) {
        socket.send(frame);
        const answer = await socket.receive();
        if (failureIn(answer).code === "rate_limited") return sent;
        if (nameIn(answer) === "connectRooms") expect(await socket.receive()).toMatchObject({ event: "ack" });
      }
    };
    const left = BURST - OPENING - 1;
    expect(await refusedAfter({ event: "ping" })).toBe(left + 1);
    expect(await refusedAfter({ event: "ping", data: { x: "x".repeat(3 * 8_192) } })).toBe(Math.ceil(left / 4) + 1);
    expect(await refusedAfter({ event: "connectRooms", data: {}, id: 1 })).toBe(Math.ceil(left / 20) + 1);
  });

  test("[LIMIT-11] a message beyond them was not stored, and may be sent again", async () => {
    const name = newcomer();
    const socket = await ready(name, "/ws/me/");
    for (let sent = 0; sent < BURST - OPENING - 1; sent += 1) socket.send({ type: "ping" });
    const say = { type: "chat_message", message: "x", client_id: "c" };
    socket.send(say);
    await socket.receiveMany(BURST - OPENING - 1);
    expect(await socket.receive()).toMatchObject({ code: "rate_limited", event: "chat_message", client_id: "c" });
    socket.send(say);
    expect(await socket.receive()).toMatchObject({ type: "chat_message", seq: 1, client_id: "c" });
  });

  test("[LIMIT-11] an HTTP request spends of them, an upgrade too", async () => {
    const name = newcomer();
    const statuses: number[] = [];
    for (let sent = 0; sent < 25; sent += 1) statuses.push((await stack().request(name, "GET", "/api/me")).status);
    const paid = Math.ceil(BURST / 2);
    expect(statuses).toEqual([...Array(paid).fill(200), ...Array(25 - paid).fill(429)]);
    const { body } = await stack().request(name, "GET", "/api/conversations");
    expect(body.error).toMatchObject({ code: "rate_limited", retry_after: expect.any(Number) });
    await expect(connect(name, "/chat")).rejects.toMatchObject({
      status: 429,
      body: { error: { code: "rate_limited" } },
    });
    // Somebody else is served.
    expect((await stack().request(newcomer(), "GET", "/api/me")).status).toBe(200);
  });

  test("[LIMIT-11] a page costs more than a question", async () => {
    const name = newcomer();
    const statuses: number[] = [];
    const path = `/api/rooms/${name}/messages`;
    for (let sent = 0; sent < 7; sent += 1) statuses.push((await stack().request(name, "GET", path)).status);
    const paid = Math.ceil(BURST / 10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7 - paid);
  });
});
