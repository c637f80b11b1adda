import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { acknowledged, ask, enterRooms, expectNothing, openChat, openRooms, people } from "./sockets.ts";

const pong = { event: "pong", data: {} };

describeOnBoth("a ping in an envelope", { nodes: 2 }, (stack) => {
  for (const [path, name, open] of [
    ["/chat", "/chat", openChat],
    ["/rooms", "/rooms before connectRooms", openRooms],
    ["/rooms", "/rooms", async (...place) => (await enterRooms(...place)).socket],
  ] as const satisfies [string, string, typeof openChat][]) {
    test(`[EVENT-9] on ${name} is answered, with an id acknowledged too, to that socket alone`, async () => {
      const [alice] = people("alice");
      const socket = await open(stack(), alice);
      const other = await open(stack(), alice, { node: 1 });
      for (const envelope of [{ event: "ping" }, { event: "ping", data: {} }]) {
        socket.send(envelope);
        expect(await socket.receive()).toEqual(pong);
        for (const id of ["p", 7]) {
          socket.send({ ...envelope, id });
          expect(await socket.receiveMany(2)).toEqual([pong, { event: "ack", id, data: {} }]);
        }
      }
      await expectNothing(socket, path);
      await expectNothing(other, path);
    });

    test(`[EVENT-9] on ${name} has no data of its own`, async () => {
      const [alice] = people("alice");
      const socket = await open(stack(), alice);
      for (const data of [{ at: 1 }, null, "now", []]) {
        const { answer, events } = await ask(socket, "ping", data);
        expect(events).toEqual([]);
        expect(answer).toMatchObject({ event: "error", data: { code: "invalid_frame", event: "ping" } });
      }
      expect(await acknowledged(socket, "ping", {})).toEqual({});
    });

    test(`[PING-3] on ${name} is no bad frame, and forgives none`, async () => {
      const [alice] = people("alice");
      const socket = await open(stack(), alice);
      for (let sent = 0; sent < 40; sent += 1) socket.send({ event: "ping" });
      for (let sent = 0; sent < 19; sent += 1) socket.send("{");
      socket.send({ event: "ping" });
      const frames = await socket.receiveMany(60);
      expect(frames.filter(({ event }) => event === "pong")).toHaveLength(41);
      socket.send("{");
      expect(await socket.closed).toEqual({ code: 1008, reason: "too many bad frames" });
    });
  }
});
