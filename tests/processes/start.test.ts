import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { tokenFor } from "../support/stack.ts";

/** Ms; a process takes one or two seconds to start, three of them do on a loaded machine. */
const DEADLINE = 60_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-test-data-"));
});
// Registered before the end of the processes, hence run after it: what they still write is removed too.
afterEach(() => rm(directory, { recursive: true, force: true }));
endProcessesAfterEach();

async function open(server: ServerProcess, path: string): Promise<Communicator> {
  const sockets = (await server.address).replace("http", "ws");
  return Communicator.connect(`${sockets}${path}`, await tokenFor("alice"));
}

async function history(server: ServerProcess): Promise<string[]> {
  const response = await fetch(`${await server.address}/api/rooms/alice/messages`, {
    headers: { authorization: `Bearer ${await tokenFor("alice")}` },
  });
  const body: Frame = await response.json();
  return body.messages.map((message: Frame) => message.content).reverse();
}

test("what an embedded server acknowledged survives SIGTERM and kill -9", { timeout: DEADLINE }, async () => {
  const first = startProcess({ DATA_DIR: directory });
  const alice = await open(first, "/ws/alice/");
  const said: string[] = [];
  const say = async (socket: Communicator, count: number) => {
    const messages = Array.from({ length: count }, (_, index) => `message ${said.length + index + 1}`);
    for (const message of messages) socket.send({ type: "chat_message", message });
    for (const message of messages) expect((await socket.receiveType("chat_message")).message).toBe(message);
    said.push(...messages);
  };
  await say(alice, 20);
  expect(await first.end("SIGTERM")).toEqual({ code: 0, signal: null });
  expect((await alice.closed).code).toBe(1012);

  const second = startProcess({ DATA_DIR: directory });
  expect(await history(second)).toEqual(said);
  const resumed = await open(second, "/ws/alice/?since=18");
  await resumed.receiveType("online_user_list");
  expect(await resumed.receiveMany(3)).toMatchObject([
    { type: "chat_message", seq: 19 },
    { type: "chat_message", seq: 20 },
    { type: "resumed", seq: 20 },
  ]);
  const intruder = startProcess({ DATA_DIR: directory });
  expect(await intruder.exited).toEqual({ code: 1, signal: null });
  expect(intruder.lines.join("\n")).toMatch(/is in use by process \d+; stop it, or set another DATA_DIR/);
  await say(resumed, 20);
  expect(await second.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  expect((await resumed.closed).code).toBe(1006);

  const third = startProcess({ DATA_DIR: directory });
  expect(await history(third)).toEqual(said);
});

test("each bad setting is one line on the way out", { timeout: DEADLINE }, async () => {
  const server = startProcess({ DATA_DIR: directory, PORT: "http", MAX_FRAME_BYTES: "1", REDIS_PORT: "6379" });
  expect(await server.exited).toEqual({ code: 1, signal: null });
  expect(server.lines).toEqual([
    expect.stringMatching(/^PORT: expected a whole number .*, got "http"$/),
    expect.stringMatching(/^MAX_FRAME_BYTES: expected a whole number .*, got "1"$/),
    "REDIS_PORT: set without REDIS_HOST",
  ]);
});

test("the log says where it is, where it stores, and how to get a token", { timeout: DEADLINE }, async () => {
  const server = startProcess({ DATA_DIR: directory, NODE_ENV: "development", JWT_SECRET: "" });
  const address = await server.address;
  // The other lines are there when it has stopped.
  expect(await server.end("SIGTERM")).toEqual({ code: 0, signal: null });
  const log = server.lines.join("\n");
  expect(log).toContain(`listening on ${address}`);
  expect(log).toContain(`storing in embedded PostgreSQL (PGlite) in ${directory}`);
  expect(log).toMatch(/curl \S+\/api\/dev\/token --json '\{"username":"alice","secret":"[\w-]{32}"\}'/);
});
