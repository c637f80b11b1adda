/** Sockets that are all cut, and opened again. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { describeOnBoth } from "../../support/stack.ts";
import { carryOut, PATIENT, planFor } from "./plans.ts";

const workload = { kind: "storm", sockets: 40, atOnce: 8 } as const;

describeOnBoth("on the server itself", { nodes: 2 }, (stack) => {
  test("everybody is back, and no badge was told anything else", async () => {
    const servers = stack().nodes.map(({ http }) => http);
    const { faults, latencies } = await carryOut(planFor(servers, workload), PATIENT);
    expect(faults).toEqual([]);
    expect(latencies.map(({ count }) => count)).toEqual([40]);
  });
});

let server: WebSocketServer;
/** The codes that sockets were closed with, in order. */
let closed: number[];
/** Of every opening, from 1: whether it is let in. */
let admits: (opening: number) => boolean;

beforeEach(async () => {
  closed = [];
  admits = () => true;
  let openings = 0;
  server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    verifyClient: () => {
      openings += 1;
      return admits(openings);
    },
  });
  server.on("connection", (socket) => {
    socket.on("close", (code) => closed.push(code));
    socket.send('{"type":"unread_count","unread_count":0}');
  });
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test("the first sockets are cut without a close frame, the second closed in order", async () => {
  const { faults, latencies, elapsed } = await carryOut(planFor([url()], workload, { measure: 60_000 }), PATIENT);
  expect(faults).toEqual([]);
  await vi.waitFor(() => expect(server.clients.size).toBe(0));
  expect(closed).toEqual([...Array(40).fill(1006), ...Array(40).fill(1000)]);
  const [latency] = latencies;
  expect(latency?.count).toBe(40);
  expect(latency?.max).toBeGreaterThan(0);
  // It ends with the last of them, not when the plan says.
  expect(elapsed).toBeLessThan(60_000);
});

test("who is not let in again is a fault", async () => {
  admits = (opening) => opening !== 60;
  const { faults } = await carryOut(planFor([url()], workload));
  expect(faults).toContainEqual(
    expect.stringMatching(/^\/ws\/notifications\/: the handshake was refused: HTTP\/1.1 401/),
  );
});
