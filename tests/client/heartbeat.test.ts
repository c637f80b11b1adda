/** Who hears nothing asks; who gets no answer takes another line. Times are those of the library, in ms. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectEvents, connectNotifications, connectRoom } from "../../client/index.ts";
import { message, ScriptedRoom } from "./scripted-room.ts";
import { ScriptedNetwork, ScriptedNodeSocket, ScriptedSocket, settled } from "./scripted-socket.ts";

const QUIET = 25_000;
const PATIENCE = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const ping = { type: "ping" };
const pong = { type: "pong" };
const dropped = { name: "waiting", why: { code: 1006, reason: "no answer" } };

/** A room on which nothing has been heard since its time began to be counted. */
async function quietRoom(): Promise<ScriptedRoom> {
  const scripted = await new ScriptedRoom().open();
  await vi.advanceTimersByTimeAsync(PATIENCE);
  return scripted;
}

describe("a quiet line", () => {
  test("is pinged after 25 s, and not before", async () => {
    const scripted = await quietRoom();
    await vi.advanceTimersByTimeAsync(QUIET - 1);
    expect(scripted.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.sent).toEqual([ping]);
    scripted.room.close();
  });

  test("that does not answer in 10 s is dropped, and another one is opened", async () => {
    const scripted = await quietRoom();
    await vi.advanceTimersByTimeAsync(QUIET + PATIENCE - 1);
    expect(scripted.room.state).toEqual({ name: "open" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject(dropped);
    expect(scripted.socket.state).toBe("closed");
    await scripted.comeBack();
    expect(scripted.network.sockets).toHaveLength(2);
    scripted.room.close();
  });

  test.each([
    ["pong", pong],
    ["anything", message(1)],
  ])("that answers with %s is kept, for hours", async (_what, answer) => {
    const scripted = await quietRoom();
    for (let round = 1; round <= 100; round++) {
      await vi.advanceTimersByTimeAsync(QUIET);
      expect(scripted.sent).toHaveLength(round);
      await vi.advanceTimersByTimeAsync(PATIENCE - 1);
      scripted.socket.deliver(answer);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(scripted.room.state).toEqual({ name: "open" });
    expect(scripted.network.sockets).toHaveLength(1);
    scripted.room.close();
  });

  test.each([0, 1, 10_000, QUIET - 1])(
    "is pinged within 50 s of the last thing that came, here %d ms into its quiet time",
    async (time) => {
      const scripted = await quietRoom();
      const { socket } = scripted;
      await vi.advanceTimersByTimeAsync(time);
      socket.deliver(message(1));
      await vi.advanceTimersByTimeAsync(2 * QUIET);
      expect(socket.sent).toEqual([ping]);
      scripted.room.close();
    },
  );

  test("on which others speak is not pinged", async () => {
    const scripted = await quietRoom();
    for (let seq = 1; seq <= 20; seq++) {
      await vi.advanceTimersByTimeAsync(QUIET - 1);
      scripted.socket.deliver(message(seq));
    }
    expect(scripted.sent).toEqual([]);
    scripted.room.close();
  });

  test("is one on which people only type: that has no answer, and needs none", async () => {
    const scripted = await quietRoom();
    scripted.room.typing(true);
    await vi.advanceTimersByTimeAsync(QUIET - 1);
    expect(scripted.room.state).toEqual({ name: "open" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.sent).toEqual([{ type: "typing", is_typing: true }, ping]);
    scripted.room.close();
  });

  test("is pinged and dropped after the times that the app has set", async () => {
    const scripted = await new ScriptedRoom({ heartbeat: { quiet: 200, patience: 100 } }).open();
    await vi.advanceTimersByTimeAsync(100 + 199);
    expect(scripted.sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.sent).toEqual([ping]);
    await vi.advanceTimersByTimeAsync(99);
    expect(scripted.room.state).toEqual({ name: "open" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject(dropped);
    scripted.room.close();
  });

  test("tells nobody of pongs", async () => {
    const scripted = await quietRoom();
    const frames: unknown[] = [];
    scripted.room.onFrame((frame) => frames.push(frame));
    scripted.socket.deliver(pong);
    expect(frames).toEqual([]);
    scripted.room.close();
  });

  test.each([
    ["live chat", (network: ScriptedNetwork) => connectEvents("/chat", network.options), { event: "ping" }],
    ["notifications", (network: ScriptedNetwork) => connectNotifications(network.options), ping],
  ])("of %s is pinged in its own words", async (_name, connect, expected) => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const connection = connect(network);
    await settled();
    network.socket.open();
    network.socket.deliver({ event: "ack", id: "open", data: {} });
    await vi.advanceTimersByTimeAsync(PATIENCE + QUIET);
    expect(network.socket.sent.at(-1)).toEqual(expected);
    connection.close();
  });
});

describe("a request", () => {
  test.each([
    ["right after the line was opened", 0],
    ["on a quiet line", PATIENCE + 3_000],
  ])("without an answer in 10 s drops the line and is asked again, %s", async (_when, time) => {
    const scripted = await new ScriptedRoom().open();
    await vi.advanceTimersByTimeAsync(time);
    const sending = scripted.room.send("hello");
    await vi.advanceTimersByTimeAsync(PATIENCE - 1);
    expect(scripted.room.state).toEqual({ name: "open" });
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject(dropped);
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.sent).toMatchObject([{ message: "hello" }]);
    scripted.room.close();
    await expect(sending).rejects.toMatchObject({ code: "closed" });
  });

  test("does not put off the end of a line that owes an answer", async () => {
    const scripted = await quietRoom();
    await vi.advanceTimersByTimeAsync(QUIET + PATIENCE - 1);
    const sending = scripted.room.send("hello");
    await vi.advanceTimersByTimeAsync(1);
    expect(scripted.room.state).toMatchObject(dropped);
    scripted.room.close();
    await expect(sending).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a socket that does not come about", () => {
  test("in 10 s is given up, and so is the next", async () => {
    // The attempts come at whole milliseconds.
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const scripted = new ScriptedRoom();
    await settled();
    for (const attempt of [1, 2, 3]) {
      expect(scripted.network.sockets).toHaveLength(attempt);
      await vi.advanceTimersByTimeAsync(PATIENCE - 1);
      expect(scripted.room.state).toEqual({ name: "connecting" });
      await vi.advanceTimersByTimeAsync(1);
      expect(scripted.room.state).toMatchObject(dropped);
      await scripted.comeBack();
    }
    scripted.room.close();
  });

  test("or says nothing once it is open, is given up as well", async () => {
    const scripted = new ScriptedRoom();
    await settled();
    scripted.socket.open();
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(scripted.room.state).toMatchObject(dropped);
    scripted.room.close();
  });
});

describe("what comes of a socket that was dropped", () => {
  test("is not heard", async () => {
    const scripted = await quietRoom();
    const frames: unknown[] = [];
    scripted.room.onFrame((frame) => frames.push(frame));
    const [old] = scripted.network.sockets;
    await vi.advanceTimersByTimeAsync(QUIET + PATIENCE);
    await scripted.comeBack();
    old?.deliver(message(1));
    old?.end(4404);
    expect(frames).toEqual([]);
    expect(scripted.room.state).toEqual({ name: "connecting" });
    await scripted.open();
    expect(frames).toHaveLength(2);
    scripted.room.close();
  });

  test("with the sockets of ws: it is ended without a farewell, and its errors are nobody's", async () => {
    const network = new ScriptedNetwork(ScriptedNodeSocket);
    const room = connectRoom("bob", network.options);
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(network.socket.isTerminated).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(network.sockets).toHaveLength(2);
    network.socket.refuse();
    await settled();
    expect(room.state).toMatchObject({ name: "waiting" });
    await vi.advanceTimersByTimeAsync(2_000);
    // Before it is there, and with a farewell: `ws` tells of an error here too.
    room.close();
    await settled();
    expect(network.socket.isTerminated).toBe(false);
    expect(network.socket.closedWith).toBe(1000);
  });

  test("what is not JSON ends the line, and another one is opened", async () => {
    const scripted = await quietRoom();
    scripted.socket.deliverText("<html>");
    expect(scripted.room.state).toMatchObject({ name: "waiting", why: { code: 1007 } });
    await scripted.comeBack();
    await scripted.open();
    expect(scripted.room.state).toEqual({ name: "open" });
    scripted.room.close();
  });
});
