/** The workloads against the server itself. */
import { describe, expect, test } from "vitest";
import { userName } from "../../../bench/load/names.ts";
import { Run } from "../../../bench/load/run.ts";
import { describeOnBoth } from "../../support/stack.ts";
import { carryOut, PATIENT, planFor } from "./plans.ts";
import { startTamperingServer } from "./tampering-server.ts";

const settings = { SEND_RATE: "1000000", SEND_BURST: "1000000", MAX_SOCKETS_PER_USER: "10", LARGE_ROOM_MEMBERS: "10" };

describeOnBoth("a load on two nodes", { nodes: 2, settings }, (stack) => {
  const servers = () => stack().nodes.map(({ http }) => http);

  test.each([5, 20])("room of %d", async (sockets) => {
    const result = await carryOut(planFor(servers(), { kind: "room", sockets, inFlight: 4 }), PATIENT);
    expect(result.faults).toEqual([]);
    expect(result.messages).toBeGreaterThan(0);
    expect(result.deliveries).toBeGreaterThan(result.messages);
    expect(result.latency.count).toBe(result.messages);
    expect(result.latency.p50).toBeGreaterThan(0);
    expect(result.latency.p99).toBeGreaterThanOrEqual(result.latency.p50);
    expect(result.latency.max).toBeGreaterThanOrEqual(result.latency.p99);
    // Node counts a timer's milliseconds from the beginning of a turn of its loop: one of 200 may fire within the last.
    expect(result.elapsed).toBeGreaterThan(199);
    expect(result.busy).toBeGreaterThan(0);
  });

  test("pairs with badges", async () => {
    const workload = { kind: "pairs", pairs: 3, inFlight: 4, badges: true } as const;
    const result = await carryOut(planFor(servers(), workload), PATIENT);
    expect(result.faults).toEqual([]);
    expect(result.messages).toBeGreaterThan(0);
    expect(result.badges).toBeGreaterThan(0);
  });

  test("single", async () => {
    const result = await carryOut(planFor(servers(), { kind: "single" }), PATIENT);
    expect(result.faults).toEqual([]);
    expect(result.messages).toBeGreaterThan(0);
    expect(result.badges).toBe(0);
  });

  test("idle", async () => {
    const result = await carryOut(planFor(servers(), { kind: "idle", sockets: 100 }), PATIENT);
    expect(result).toMatchObject({ messages: 0, deliveries: 0, badges: 0, latencies: [], faults: [] });
  });

  test("open", async () => {
    const plan = planFor(servers(), { kind: "single" });
    const sent = (await carryOut(plan, PATIENT)).faults;
    expect(sent).toEqual([]);
    const [alice, bob] = [userName(plan.prefix, 0), userName(plan.prefix, 1)];
    const { body } = await stack().request(bob, "GET", "/api/conversations");
    const unread = body.results[0].unread_count;
    const users = [
      { user: alice, unread: 0 },
      { user: bob, unread },
    ];
    const result = await carryOut(planFor(servers(), { kind: "open", users }), PATIENT);
    expect(result.faults).toEqual([]);
    expect(result.latencies).toHaveLength(2);
    expect(result.latencies.reduce((sum, { count }) => sum + count, 0)).toBe(result.latency.count);
    expect(result.latency.count).toBeGreaterThan(0);

    const wrong = planFor(servers(), { kind: "open", users: [{ user: bob, unread: unread + 1 }] });
    expect((await carryOut(wrong, PATIENT)).faults).toContain(
      `badge of ${bob}: began at ${unread}, not at ${unread + 1}`,
    );
  });

  test("who is not let in is told why", async () => {
    const plan = planFor(servers(), { kind: "idle", sockets: 1 }, { secret: "another secret, of as many as 32 bytes" });
    const run = new Run(plan);
    await expect(run.open()).rejects.toThrow(/^\/ws\/notifications\/: the handshake was refused: HTTP\/1.1 401/);
    await run.close();
  });
});

describe("counts", () => {
  test("a room's deliveries are its messages on each socket", async () => {
    const plan = planFor([await startTamperingServer()], { kind: "room", sockets: 4, inFlight: 1 });
    const { messages, deliveries } = await carryOut(plan, PATIENT);
    // At either end of the measuring one message may have reached some of the sockets.
    expect(Math.abs(deliveries - 4 * messages)).toBeLessThanOrEqual(8);
  });
});
