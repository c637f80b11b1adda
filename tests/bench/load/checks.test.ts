/** What a server does wrong is found. The server here does as the test says. */
import { expect, test } from "vitest";
import type { Result } from "../../../bench/load/plan.ts";
import { carryOut, PATIENT, planFor } from "./plans.ts";
import { type ChatMessage, startTamperingServer, type Tampering } from "./tampering-server.ts";

const room = { kind: "room", sockets: 3, inFlight: 2 } as const;
const single = { kind: "single" } as const;
const pairs = { kind: "pairs", pairs: 2, inFlight: 3, badges: true } as const;

async function run(workload: typeof room | typeof single | typeof pairs, tampering: Tampering): Promise<Result> {
  return carryOut(planFor([await startTamperingServer(tampering)], workload));
}

test.each([room, single, pairs])("where nothing is wrong, nothing is found: $kind", async (workload) => {
  const plan = planFor([await startTamperingServer()], workload);
  const { faults, messages } = await carryOut(plan, PATIENT);
  expect(faults).toEqual([]);
  expect(messages).toBeGreaterThan(10);
});

test("a message that one socket does not get", async () => {
  const { faults } = await run(single, {
    room: (message, socket) => (socket === 1 && message.seq === 5 ? [] : [message]),
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+u000000: number 6 came after 4$/));
  expect(faults).toContainEqual(expect.stringMatching(/^\d+ frames did not come within 300 ms$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: got (\d+) messages of \d+$/));
});

test("messages that nothing follows on a socket which did not get them", async () => {
  const { faults } = await run(single, {
    room: (message, socket) => (socket === 1 && message.seq > 5 ? [] : [message]),
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: got 5 messages of \d+$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: ends at number 5, \S+u000000 in \S+ at \d+$/));
});

test("an echo that does not come", async () => {
  const { faults } = await run(room, {
    room: (message, socket) => (socket === 0 && message.seq === 1 ? [] : [message]),
  });
  // The first sender waits for it; nobody sends in its place.
  expect(faults).toContainEqual(expect.stringMatching(/u000000 in \S+: was echoed 0 of 1 messages$/));
});

test("a message that comes twice with its number", async () => {
  const { faults } = await run(room, {
    room: (message, socket) => (socket === 2 && message.seq === 5 ? [message, message] : [message]),
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000002 in \S+: number 5 came after 5$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000002 in \S+: got (\d+) messages of \d+$/));
});

test("a message that is stored twice, with a number for each", async () => {
  let shift = 0;
  const { faults } = await run(single, {
    room: (message, socket) => {
      const numbered = { ...message, seq: message.seq + shift };
      const isDoubled = message.seq === 5;
      if (isDoubled && socket === 1) shift = 1;
      return isDoubled ? [numbered, { ...numbered, seq: 6 }] : [numbered];
    },
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000000 in \S+: message 5 was echoed after 5, of \d+ sent$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: got (\d+) messages of \d+$/));
});

test("two messages that come in the wrong order", async () => {
  let held: ChatMessage | null = null;
  const { faults } = await run(room, {
    room: (message, socket) => {
      if (socket !== 1) return [message];
      if (message.seq === 5) {
        held = message;
        return [];
      }
      const late = held;
      held = null;
      return late === null ? [message] : [message, late];
    },
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: number 6 came after 4$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: number 5 came after 6$/));
});

test("two messages that changed places, and took each other's numbers", async () => {
  let held: ChatMessage | null = null;
  const { faults } = await run(pairs, {
    room: (message, socket) => {
      if (socket !== 1) return [message];
      if (held === null && message.seq === 50) {
        held = message;
        return [];
      }
      if (held === null || message.seq !== 51) return [message];
      return [
        { ...message, seq: 50 },
        { ...held, seq: 51 },
      ];
    },
  });
  expect(faults).toContainEqual(expect.stringMatching(/got other messages than .*, or in another order$/));
});

test("a sender's messages that are numbered in another order than they were sent", async () => {
  let held: ChatMessage | null = null;
  const { faults } = await run(pairs, {
    room: (message) => {
      const isFirst = message.client_id === "000000-00000001";
      if (isFirst) held = message;
      const swapped = message.client_id === "000000-00000002" && held !== null;
      if (isFirst) return [{ ...message, client_id: "000000-00000002" }];
      return swapped ? [{ ...message, client_id: "000000-00000001" }] : [message];
    },
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000000 in \S+: message 2 was echoed after 0, of \d+ sent$/));
  expect(faults).toContainEqual(expect.stringMatching(/u000000 in \S+: message 1 was echoed after 2, of \d+ sent$/));
});

test("a message that nobody sent", async () => {
  const { faults } = await run(room, {
    room: (message) => [message.seq === 5 ? { ...message, client_id: "somebody else's" } : message],
  });
  expect(faults).toContainEqual(expect.stringMatching(/number 5 is a message that nobody here sent$/));
});

test.each([
  ["falls", (count: number) => (count === 5 ? 3 : count), /the count fell from 4 to 3$/],
  ["counts too much at its end", (count: number) => count + 1, /badge of \S+: counted \d+ of \d+ messages$/],
  ["stops counting", (count: number) => Math.min(count, 5), /badge of \S+: counted 5 of \d+ messages$/],
])("a badge that %s", async (_what, wrong, fault) => {
  const { faults } = await run(pairs, {
    badge: (count) => [{ type: "new_message_notification", unread_count: wrong(count) }],
  });
  expect(faults).toContainEqual(expect.stringMatching(fault));
});

test("a refused frame", async () => {
  const { faults } = await run(room, {
    room: (message) => (message.seq === 5 ? [message, { type: "error", code: "internal" }] : [message]),
  });
  expect(faults).toContainEqual(expect.stringMatching(/: was sent \{"type":"error","code":"internal"\}$/));
});

test("a socket that the server closes", async () => {
  const { faults } = await run(single, {
    witness: (message, socket, index) => {
      if (index === 1 && message.seq === 5) socket.close(4408, "too slow");
    },
  });
  expect(faults).toContainEqual(expect.stringMatching(/u000001 in \S+: closed with 4408 too slow$/));
});

test("a frame on an idle socket", async () => {
  const opening = [{ type: "new_message_notification", unread_count: 1 }];
  const { faults } = await carryOut(planFor([await startTamperingServer({ opening })], { kind: "idle", sockets: 2 }));
  expect(faults).toEqual([0, 1].map((user) => expect.stringMatching(`u00000${user}: got 2 frames where nothing`)));
});

test("faults are at most 20 lines, the last of which says how many more there were", async () => {
  const { faults } = await run(room, { room: (message) => [{ ...message, seq: 7 }] });
  expect(faults).toHaveLength(20);
  expect(faults.at(-1)).toMatch(/^and \d+ more$/);
});
