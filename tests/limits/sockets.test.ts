import { expect, it, test, vi } from "vitest";
import { describeOnBoth } from "../support/stack.ts";

const tooMany = { code: 4429, reason: "too many sockets for one user" };

describeOnBoth("MAX_SOCKETS_PER_USER", { nodes: 2, settings: { MAX_SOCKETS_PER_USER: "3" } }, (stack) => {
  const sockets = (node: number) => stack().nodes[node]?.server.app.websocketServer.clients.size;

  it("counts a user's sockets over all nodes and paths, and lets go of those that closed", async () => {
    const first = await stack().connect("alice", "/ws/notifications/", { node: 0 });
    await first.receive();
    const second = await stack().connect("alice", "/ws/alice/", { node: 1 });
    await second.receiveMany(2);
    const third = await stack().connect("alice", "/ws/notifications/alice/", { node: 1 });
    await third.receive();

    for (const [node, path] of ["/ws/notifications/", "/ws/alice/"].entries()) {
      const fourth = await stack().connect("alice", path, { node });
      expect(await fourth.closed).toEqual(tooMany);
    }
    const bob = await stack().connect("bob", "/ws/notifications/", { node: 0 });
    expect(await bob.receive()).toEqual({ type: "unread_count", unread_count: 0 });

    await first.close();
    await vi.waitFor(() => expect([sockets(0), sockets(1)]).toEqual([1, 2]));
    const again = await stack().connect("alice", "/ws/notifications/", { node: 0 });
    expect(await again.receive()).toEqual({ type: "unread_count", unread_count: 0 });
    const oneMore = await stack().connect("alice", "/ws/notifications/", { node: 0 });
    expect(await oneMore.closed).toEqual(tooMany);
  });

  test("of many that come at once, no more than the limit stay", async () => {
    const opened = await Promise.all(
      [0, 1, 0, 1, 0, 1].map((node) => stack().connect("crowd", "/ws/notifications/", { node })),
    );
    const outcomes = await Promise.all(
      opened.map(async (socket) => {
        const counted = socket.receive().then(() => "open");
        return Promise.race([counted, socket.closed.then(({ code }) => code)]).catch(() => 4429);
      }),
    );
    expect(outcomes.filter((outcome) => outcome === "open")).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 4429)).toHaveLength(3);
  });
});
