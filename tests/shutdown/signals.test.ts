import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Communicator } from "../support/communicator.ts";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { type FreshDatabase, freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";
import { tokenFor } from "../support/stack.ts";

/** Ms; a process takes one or two seconds to start, three of them do on a loaded machine. */
const DEADLINE = 60_000;

async function open(server: ServerProcess): Promise<Communicator> {
  const sockets = (await server.address).replace("http", "ws");
  return Communicator.connect(`${sockets}/ws/alice/`, await tokenFor("alice"));
}

describe("a process that is told to stop", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "parley-test-data-"));
  });
  // Registered before the end of the processes, hence run after it: what they still write is removed too.
  afterEach(() => rm(directory, { recursive: true, force: true }));
  endProcessesAfterEach();

  test("[CLOSE-5] ends at once when it is told so twice", { timeout: DEADLINE }, async () => {
    const server = startProcess({ DATA_DIR: directory, SHUTDOWN_SECONDS: "3600" });
    // More than leave at the first moment, so that it is still at it when the second signal comes.
    const sockets = await Promise.all(Array.from({ length: 40 }, () => open(server)));
    const exit = server.end("SIGTERM");
    await Promise.race(sockets.map(({ closed }) => closed));
    expect(await server.end("SIGTERM")).toEqual({ code: null, signal: "SIGTERM" });
    await exit;
    expect(server.lines).toContain("SIGTERM: finishing what is in flight; once more to end at once");
    expect(server.lines).not.toContain("stopped");
    const codes = await Promise.all(sockets.map(async ({ closed }) => (await closed).code));
    expect(new Set(codes)).toEqual(new Set([1012, 1006]));
  });
});

describe.skipIf(postgresUrl === undefined)(`a process whose database hangs ${servicesMissing}`.trim(), () => {
  let database: FreshDatabase;
  let other: Client;
  beforeEach(async () => {
    database = await freshDatabase();
    other = new Client({ connectionString: database.url });
    await other.connect();
  });
  afterEach(async () => {
    await other?.end();
    await database?.drop();
  });
  endProcessesAfterEach();

  test("[CLOSE-5] is given up when it takes too long to stop, and says so", { timeout: DEADLINE }, async () => {
    const server = startProcess({ DATABASE_URL: database.url, SHUTDOWN_SECONDS: "0" });
    const alice = await open(server);
    await alice.receiveMany(2);
    await other.query("begin; lock table messages in access exclusive mode");
    alice.send({ type: "chat_message", message: "hello" });
    alice.send({ type: "ping" });
    expect(await alice.receive()).toEqual({ type: "pong" });
    expect(await server.end("SIGTERM")).toEqual({ code: 1, signal: null });
    expect((await alice.closed).code).toBe(1012);
    expect(server.lines.at(-1)).toBe("could not stop in order within 5 s");
  });
});
