/** The two sockets that are only listened to. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectConversationNotifications, connectNotifications } from "../../client/index.ts";
import { ScriptedNetwork, ScriptedSocket, settled } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("notifications", () => {
  test("are open with their first frame, and say how things stand after a broken line too", async () => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const notifications = connectNotifications(network.options);
    const counts: number[] = [];
    const states: string[] = [];
    notifications.on("unread_count", ({ unread_count }) => counts.push(unread_count));
    notifications.onState(({ name }) => states.push(name));
    await settled();
    expect(network.socket.url.href).toBe("wss://chat.example/ws/notifications/");
    network.socket.open();
    expect(states).toEqual(["connecting"]);
    network.socket.deliver(
      { type: "unread_count", unread_count: 8 },
      { type: "new_message_notification", unread_count: 9 },
    );
    network.socket.end(1012);
    await vi.advanceTimersByTimeAsync(1_000);
    network.socket.open();
    network.socket.deliver({ type: "unread_count", unread_count: 12 }, { type: "pong" });
    expect(counts).toEqual([8, 12]);
    expect(states).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
    notifications.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("of one conversation are those of its name, whatever is in it", async () => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const notifications = connectConversationNotifications("bob+1@x/y?z", network.options);
    const types: string[] = [];
    notifications.onFrame(({ type }) => types.push(type));
    await settled();
    expect(network.socket.url.href).toBe("wss://chat.example/ws/notifications/bob%2B1%40x%2Fy%3Fz/");
    network.socket.open();
    network.socket.deliver({ type: "single_conversation_unread_count", unread_count: 1 }, { type: "pong" });
    expect(types).toEqual(["single_conversation_unread_count"]);
    notifications.close();
  });

  test("that are closed by who hears that they are open tell nothing more", async () => {
    const network = new ScriptedNetwork(ScriptedSocket);
    const notifications = connectNotifications(network.options);
    const heard: unknown[] = [];
    notifications.onFrame((frame) => heard.push(frame));
    notifications.onState(({ name }) => {
      if (name === "open") notifications.close();
    });
    await settled();
    network.socket.open();
    network.socket.deliver({ type: "unread_count", unread_count: 8 });
    expect(heard).toEqual([]);
    expect(notifications.state).toMatchObject({ name: "closed" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
