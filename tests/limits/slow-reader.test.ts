import { expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Frame } from "../support/communicator.ts";
import { describeOnBoth } from "../support/stack.ts";
import { ownRoom } from "./room.ts";

/** As large as a message's text can be: 40,000 bytes. */
const LARGEST = "😀".repeat(10_000);
/** More of them than the kernel's buffers on both sides hold; it ends the test should the bound be none. */
const ENOUGH = 1_000;

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describeOnBoth("MAX_BUFFERED_BYTES", { settings: { SEND_BURST: "10000" } }, (stack) => {
  it("[LIMIT-5] closes who stops reading with 4408; the others get everything, and so does the slow one who resumes", async () => {
    await stack().introduce("slow");
    const fast = await stack().connect("fast", "/ws/slow/");
    await fast.receiveMany(2);
    const slow = await stack().connect("slow", "/ws/fast/");
    await slow.receiveMany(2);
    expect(await fast.receive()).toEqual({ type: "user_join", user: "slow" });

    const heard: number[] = [];
    slow.socket.on("message", (data) => heard.push(JSON.parse(data.toString()).seq));
    slow.socket.pause();
    const isClosing = () =>
      [...(stack().nodes[0]?.server.app.websocketServer.clients ?? [])].some(
        ({ readyState }) => readyState === WebSocket.CLOSING,
      );
    let sent = 0;
    while (!isClosing() && sent < ENOUGH) {
      sent += 1;
      fast.send({ type: "chat_message", message: LARGEST });
      expect(await fast.receive()).toMatchObject({ type: "chat_message", seq: sent });
    }
    slow.socket.resume();
    expect((await slow.closed).code).toBe(4408);
    expect(await fast.receive()).toEqual({ type: "user_leave", user: "slow" });

    // Without a hole up to where it was cut off, and from there on.
    expect(heard).toEqual(numbers(1, heard.length));
    expect(heard.length).toBeLessThan(sent);
    const again = await stack().connect("slow", `/ws/fast/?since=${heard.length}`);
    expect(await again.receive()).toEqual({ type: "online_user_list", users: ["fast"] });
    const replayed = await again.receiveMany(sent - heard.length);
    expect(replayed.map(({ seq }: Frame) => seq)).toEqual(numbers(heard.length + 1, sent));
    expect(await again.receive()).toEqual({ type: "resumed", seq: sent });
  });

  it("[LIMIT-5] is no bound for those who read: a burst of the largest messages reaches them", async () => {
    const { socket } = await ownRoom(stack());
    for (let sent = 0; sent < 60; sent += 1) socket.send({ type: "chat_message", message: LARGEST });
    const seqs = (await socket.receiveMany(60)).map(({ seq }) => seq);
    expect(seqs).toEqual(numbers(1, 60));
  });
});
