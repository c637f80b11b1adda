/** The Socket.IO wire against Socket.IO's own server. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { Server } from "socket.io";
import { afterAll, beforeAll, expect, test } from "vitest";
import { carryOut, PATIENT, planFor } from "./plans.ts";

const http = createServer();
/** Pings often enough for every run to be asked for signs of life. */
const io = new Server(http, { transports: ["websocket"], pingInterval: 30 });
let signsOfLife = 0;
io.engine.on("connection", (socket) => {
  socket.on("heartbeat", () => {
    signsOfLife += 1;
  });
});
const seqs = new Map<string, number>();
const unread = new Map<string, number>();

io.on("connection", (socket) => {
  const user = decodeJwt(String(socket.handshake.auth.token)).sub ?? "";
  const keyOf = (room: string) => (room.startsWith("group-") ? room : [user, room].sort().join(" "));
  socket.on("join", ({ room }, acknowledge) => {
    socket.join(keyOf(room));
    acknowledge();
  });
  socket.on("notifications", (_request, acknowledge) => {
    socket.join(`badges of ${user}`);
    acknowledge();
    socket.emit("unread_count", { unread_count: unread.get(user) ?? 0 });
  });
  socket.on("chat_message", ({ room, message, client_id }) => {
    const key = keyOf(room);
    const seq = (seqs.get(key) ?? 0) + 1;
    seqs.set(key, seq);
    io.to(key).emit("chat_message", { id: `${key} ${seq}`, seq, message, client_id, room, from_user: user });
    const count = (unread.get(room) ?? 0) + 1;
    unread.set(room, count);
    io.to(`badges of ${room}`).emit("new_message_notification", { unread_count: count });
  });
});

let server: string;
beforeAll(async () => {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  server = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => io.close());

test.each([
  { kind: "room", sockets: 5, inFlight: 2 },
  { kind: "pairs", pairs: 2, inFlight: 3, badges: true },
  { kind: "single" },
] as const)("messages and badges are read: $kind", async (workload) => {
  const result = await carryOut(planFor([server], workload, { wire: "socket.io" }), PATIENT);
  expect(result.faults).toEqual([]);
  expect(result.messages).toBeGreaterThan(10);
  expect(result.badges > 0).toBe(workload.kind === "pairs");
});

test("idle sockets answer the server's pings", async () => {
  signsOfLife = 0;
  const plan = planFor([server], { kind: "idle", sockets: 5 }, { wire: "socket.io", measure: 500 });
  expect((await carryOut(plan, PATIENT)).faults).toEqual([]);
  // The server sends the next ping when the last was answered.
  expect(signsOfLife).toBeGreaterThanOrEqual(10);
});
