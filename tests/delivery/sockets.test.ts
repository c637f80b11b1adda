import { expect, test, vi } from "vitest";
import { encodings } from "../../server/transport/delivery.ts";
import { describeOnBoth, type Stack } from "../support/stack.ts";

const SOCKETS = 50;

describeOnBoth("many sockets", { settings: { MAX_SOCKETS_PER_USER: "200", COMMAND_BURST: "10000" } }, (stack) => {
  test("share one encoding of each event", async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => stack().connect("alice", "/ws/alice/")));
    for (const socket of sockets) await socket.receiveType("online_user_list");
    const [first] = sockets;
    const before = encodings.made;
    for (let sent = 0; sent < 10; sent += 1) first?.send({ type: "chat_message", message: `${sent}` });
    for (const socket of sockets) {
      for (let sent = 0; sent < 10; sent += 1) {
        expect(await socket.receiveType("chat_message")).toMatchObject({ message: `${sent}`, room: "alice" });
      }
    }
    expect(encodings.made - before).toBe(10);
  });

  test("leave nothing behind, however they end", async () => {
    await stack().disconnectAll();
    await vi.waitFor(async () => expect(await held(stack())).toEqual(NOTHING), { timeout: 10_000 });
    for (let round = 0; round < 5; round += 1) {
      const sockets = await Promise.all(
        ["/ws/bob/", "/ws/alice/", "/ws/notifications/", "/ws/notifications/bob/"].flatMap((path) =>
          Array.from({ length: 10 }, () => stack().connect("alice", path)),
        ),
      );
      // Some are open, some are still opening, some have said something.
      for (const [index, { socket }] of sockets.entries()) {
        if (index % 3 === 0) socket.send(JSON.stringify({ type: "chat_message", message: "hello" }));
        if (index % 2 === 0) socket.terminate();
        else socket.close(1000);
      }
      await Promise.all(sockets.map((socket) => socket.closed));
    }
    await vi.waitFor(async () => expect(await held(stack())).toEqual(NOTHING), { timeout: 10_000 });
    const later = await stack().connect("alice", "/ws/alice/");
    expect(await later.receive()).toEqual({ type: "online_user_list", users: [] });
  });
});

const NOTHING = { parley_sockets: 0, parley_groups: 0, parley_user_feeds: 0 };

/** As an operator sees it. */
async function held(stack: Stack): Promise<Record<string, number>> {
  const text = await (await fetch(`${stack.nodes[0]?.http}/metrics`)).text();
  return Object.fromEntries(
    Object.keys(NOTHING).map((name) => [name, Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1])]),
  );
}
