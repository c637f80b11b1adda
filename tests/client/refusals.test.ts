/** What a room does with a request that the server refuses: for now, or for good. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { errorCatalogue } from "../../server/protocol/errors.ts";
import { ScriptedEvents } from "./scripted-events.ts";
import { echoOf, ScriptedRoom } from "./scripted-room.ts";
import { outcomeOf } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const textsOf = ({ sent }: ScriptedRoom) => sent.map(({ message: text }) => text);

/** The answer to what was sent last. */
function refuse({ socket, sent }: ScriptedRoom, code: string, fields: object = {}): void {
  const { type: event, client_id } = sent.at(-1) ?? {};
  socket.deliver({ type: "error", code, message: `it is ${code}`, event, client_id, ...fields });
}

describe.each(Object.entries(errorCatalogue))("%s", (code, { retry }) => {
  test(retry ? "is for now: it is asked again, before the next" : "is for good: the next goes out", async () => {
    const scripted = await new ScriptedRoom().open();
    const frames: unknown[] = [];
    scripted.room.onFrame((frame) => frames.push(frame));
    const [first, second] = [scripted.room.send("a"), scripted.room.send("b")];
    const outcome = outcomeOf(first);
    refuse(scripted, code);
    if (retry) {
      expect(await outcome).toBe("pending");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(textsOf(scripted)).toEqual(["a", "a"]);
      expect(scripted.sent[1]).toEqual(scripted.sent[0]);
      scripted.socket.deliver(echoOf(scripted.sent[1], 1));
      expect(await first).toMatchObject({ message: "a" });
    } else {
      expect(await outcome).toEqual({
        error: expect.objectContaining({ name: "ParleyError", code, message: `it is ${code}` }),
      });
    }
    expect(textsOf(scripted).at(-1)).toBe("b");
    // It is for who has asked.
    expect(frames.filter((frame) => (frame as { type: string }).type === "error")).toEqual([]);
    scripted.room.close();
    await expect(second).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a rate limit", () => {
  test("is waited for as long as the server says, with all that comes behind", async () => {
    const scripted = await new ScriptedRoom().open();
    const requests = [scripted.room.send("a"), scripted.room.send("b")];
    refuse(scripted, "rate_limited", { retry_after: 7_000 });
    requests.push(scripted.room.send("c"));
    await vi.advanceTimersByTimeAsync(6_999);
    expect(textsOf(scripted)).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    for (const seq of [1, 2, 3]) scripted.socket.deliver(echoOf(scripted.sent[seq], seq));
    expect(textsOf(scripted)).toEqual(["a", "a", "b", "c"]);
    expect(await Promise.all(requests)).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    scripted.room.close();
  });

  test("does not hold up another line: there it is asked at once", async () => {
    const scripted = await new ScriptedRoom().open();
    const request = scripted.room.send("a");
    refuse(scripted, "rate_limited", { retry_after: 3_600_000 });
    await scripted.breakLine();
    await scripted.open();
    expect(textsOf(scripted)).toEqual(["a"]);
    scripted.room.close();
    await expect(request).rejects.toMatchObject({ code: "closed" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a server that is unavailable", () => {
  test("is asked later each time, and soon again once it has done something", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const scripted = await new ScriptedRoom().open();
    const requests = [scripted.room.send("a"), scripted.room.send("b")];
    const refusedFor = async (time: number) => {
      const { length } = scripted.sent;
      refuse(scripted, "unavailable");
      await vi.advanceTimersByTimeAsync(time - 1);
      expect(scripted.sent).toHaveLength(length);
      await vi.advanceTimersByTimeAsync(1);
      expect(scripted.sent).toHaveLength(length + 1);
    };
    await refusedFor(500);
    await refusedFor(1_000);
    await refusedFor(2_000);
    scripted.socket.deliver(echoOf(scripted.sent.at(-1), 1));
    await refusedFor(500);
    scripted.socket.deliver(echoOf(scripted.sent.at(-1), 2));
    expect(await Promise.all(requests)).toMatchObject([{ message: "a" }, { message: "b" }]);
    scripted.room.close();
  });

  test("that refuses what was on its way together has refused once", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const scripted = await new ScriptedEvents("/chat").open();
    const { events } = scripted;
    const requests = Array.from({ length: 20 }, () => events.send("user:get_status", { userId: "bob" }));
    const refusal = { code: "unavailable", message: "storage does not answer" };
    for (const { id } of scripted.asked) scripted.socket.deliver({ event: "error", id, data: refusal });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(scripted.asked).toHaveLength(40);
    events.close();
    for (const request of requests) await expect(request).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a refusal that does not name the request", () => {
  test("is that of the one on its way, when it is of its type: its client id was no good", async () => {
    const scripted = await new ScriptedRoom().open();
    const client_id = "x".repeat(65);
    const requests = [scripted.room.send({ message: "a", client_id }), scripted.room.read()];
    const errors: unknown[] = [];
    scripted.room.on("error", ({ event }) => errors.push(event));
    const error = { type: "error", code: "invalid_frame", message: "client_id: expected at most 64 characters" };
    const outcome = outcomeOf(requests[0] ?? Promise.resolve());
    scripted.socket.deliver({ ...error, event: "typing" }, { ...error, event: "chat_message" });
    expect(await outcome).toEqual({ error: expect.objectContaining({ code: "invalid_frame" }) });
    expect(errors).toEqual(["typing"]);
    expect(scripted.sent.at(-1)).toMatchObject({ type: "read_messages" });
    scripted.room.close();
    await expect(requests[1]).rejects.toMatchObject({ code: "closed" });
  });
});

describe("an error that is about no request", () => {
  test("is told to who listens", async () => {
    const scripted = await new ScriptedRoom().open();
    const errors: unknown[] = [];
    scripted.room.on("error", ({ code, client_id }) => errors.push({ code, client_id }));
    const request = scripted.room.send("a");
    scripted.socket.deliver(
      { type: "error", code: "unavailable", message: "not now" },
      { type: "error", code: "forbidden", message: "not yours", client_id: "somebody's" },
    );
    expect(errors).toEqual([
      { code: "unavailable", client_id: undefined },
      { code: "forbidden", client_id: "somebody's" },
    ]);
    expect(await outcomeOf(request)).toBe("pending");
    scripted.room.close();
    await expect(request).rejects.toMatchObject({ code: "closed" });
  });
});
