/** Clients that take their time, or never come to an end: they cost nobody else anything, and are gone in the end. */
import { expect, it, onTestFinished, vi } from "vitest";
import { RawClient } from "../handshake/raw-client.ts";
import type { Communicator } from "../support/communicator.ts";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { NO_LIMITS } from "./company.ts";
import { FIN, frame, PING, said, TEXT } from "./peer.ts";

const MANY = 50;
/** Three times as long, at most, is how long a silent client stays ([LIMIT-6]). */
const PING_SECONDS = 1;
/** In ms: ends what hangs. */
const PATIENCE = 90_000;

let rooms = 0;

/** Two who talk, in a direct conversation of their own. */
async function openPair(
  stack: Stack,
): Promise<{ names: readonly [string, string]; alice: Communicator; bob: Communicator }> {
  rooms += 1;
  const names = [`alice-${rooms}`, `bob-${rooms}`] as const;
  await stack.introduce(...names);
  const alice = await stack.connect(names[0], `/ws/${names[1]}/`);
  await alice.receiveMany(2);
  const bob = await stack.connect(names[1], `/ws/${names[0]}/`);
  await bob.receiveMany(2);
  await alice.receive();
  return { names, alice, bob };
}

let messages = 0;

/** What either says, the other hears next: nothing is lost, and nothing else comes. */
async function talk({ alice, bob }: { alice: Communicator; bob: Communicator }): Promise<void> {
  for (const [speaker, listener] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    messages += 1;
    const message = `message ${messages}`;
    speaker.send({ type: "chat_message", message });
    expect(await listener.receive()).toMatchObject({ message });
    expect(await speaker.receive()).toMatchObject({ message });
  }
}

/** A raw client that the test's end takes with it. */
async function connect(stack: Stack): Promise<RawClient> {
  const client = await RawClient.connect(stack.nodes[0]);
  onTestFinished(() => client.reset());
  return client;
}

async function upgrade(stack: Stack, name: string, path: string): Promise<RawClient> {
  const client = await RawClient.upgraded(stack.nodes[0], name, path);
  onTestFinished(() => client.reset());
  return client;
}

const settings = { ...NO_LIMITS, PING_SECONDS: String(PING_SECONDS) };

describeOnBoth("a slow client", { settings }, (stack, foundation) => {
  const socketCount = () => stack().nodes[0]?.server.app.websocketServer.clients.size;

  it("sends its frame byte by byte, and others talk between the bytes", async () => {
    const pair = await openPair(stack());
    const slow = await upgrade(stack(), "slow", "/ws/slow/");
    slow.socket.setNoDelay();
    const bytes = frame(FIN | TEXT, said("at last"));
    for (const byte of bytes) {
      await new Promise((resolve) => slow.socket.write(Buffer.from([byte]), resolve));
      await talk(pair);
    }
    for (;;) {
      const { opcode, payload } = await slow.frame();
      if (opcode === PING) continue;
      const { type, message } = JSON.parse(payload.toString());
      if (type !== "chat_message") continue;
      expect(message).toBe("at last");
      return;
    }
  });

  // It gets as far as no foundation, so one will do.
  if (foundation === "embedded") {
    it(
      "begins a handshake and never ends it: it is refused when its time is up",
      async () => {
        const pair = await openPair(stack());
        const beginnings = [
          "GET /chat HTTP/1.1\r\n",
          "GET /chat HTTP/1.1\r\nhost: loopback\r\nupgrade: websocket\r\nconnection: upg",
        ];
        const slow = await Promise.all(Array.from({ length: MANY }, () => connect(stack())));
        for (const [index, client] of slow.entries()) client.socket.write(beginnings[index % 2] ?? "");
        await talk(pair);
        const answers = await Promise.all(slow.map((client) => client.rest()));
        for (const answer of answers) expect(answer).toContain('"code":"invalid_frame"');
        await talk(pair);
      },
      PATIENCE,
    );
  }

  it("opens a connection and never says a word: others come and go", async () => {
    const pair = await openPair(stack());
    await Promise.all(Array.from({ length: MANY }, () => connect(stack())));
    await talk(pair);
    await talk(await openPair(stack()));
  });

  it(
    "ends its half of the connection: so does the server, and the others are told at once",
    async () => {
      const pair = await openPair(stack());
      await stack().introduce("half");
      const { alice, names } = pair;
      const group = await stack().request(names[0], "POST", "/api/conversations", {
        type: "group",
        name: "a group",
        members: ["half"],
      });
      const watcher = await stack().connect(names[0], `/ws/${group.body.id}/`);
      await watcher.receiveMany(2);
      const before = socketCount() ?? 0;
      for (const last of [Buffer.alloc(0), frame(FIN | TEXT, said("unfinished")).subarray(0, 12)]) {
        const half = await upgrade(stack(), "half", `/ws/${group.body.id}/`);
        expect(await watcher.receive()).toEqual({ type: "user_join", user: "half" });
        half.socket.end(last);
        expect(await watcher.receive()).toEqual({ type: "user_leave", user: "half" });
        await half.closed;
      }
      await vi.waitFor(() => expect(socketCount()).toBe(before), { timeout: PATIENCE });
      expect(alice.socket.readyState).toBe(1);
      await talk(pair);
    },
    PATIENCE,
  );

  it(
    "[LIMIT-6] falls silent, between frames or in the midst of one: it is cut after two pings, and the others are told",
    async () => {
      const lasts = [Buffer.alloc(0), frame(FIN | TEXT, said("unfinished")).subarray(0, 12), frame(TEXT, "{")];
      const pairs = await Promise.all(lasts.map(async (last) => ({ last, ...(await openPair(stack())) })));
      await Promise.all(
        pairs.map(async ({ last, names, alice, bob }) => {
          await bob.close();
          expect(await alice.receive()).toEqual({ type: "user_leave", user: names[1] });
          // It answers no ping, for it is a client that knows of none.
          const silent = await upgrade(stack(), names[1], `/ws/${names[0]}/`);
          expect(await alice.receive()).toEqual({ type: "user_join", user: names[1] });
          silent.socket.write(last);
          expect(await alice.receive()).toEqual({ type: "user_leave", user: names[1] });
          await silent.closed;
          alice.send({ type: "chat_message", message: "alone" });
          expect(await alice.receive()).toMatchObject({ message: "alone" });
        }),
      );
    },
    PATIENCE,
  );

  it(
    "does not answer the server's close: it is cut all the same",
    async () => {
      const pair = await openPair(stack());
      const before = socketCount() ?? 0;
      const rude = await upgrade(stack(), "rude", "/ws/rude/");
      rude.socket.write(Buffer.concat(Array<Buffer>(20).fill(frame(FIN | TEXT, "{"))));
      expect(await rude.closeCode()).toBe(1008);
      await rude.closed;
      await vi.waitFor(() => expect(socketCount()).toBe(before), { timeout: PATIENCE });
      await talk(pair);
    },
    PATIENCE,
  );
});
