/** An embedded server whose disk is full. Root is needed to make one; where all services are required, so is this. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { compare, Monologue, noDiscrepancy } from "./monologue.ts";
import { mountSmallDisk, obstacleToSmallDisks, type SmallDisk } from "./small-disk.ts";

/** Ms; it ends what hangs: a process is started twice, and a database opened again. */
const DEADLINE = 300_000;
/** MiB: an empty database has some 55, with its log. */
const DISK = 130;
const MIB = 1024 * 1024;
/** Characters that fill a disk soon. */
const LONG = 9_000;
/** Messages that are said at once. */
const BURST = 20;

const obstacle = await obstacleToSmallDisks();
const isRequired = process.env.REQUIRE_SERVICES === "1";

describe.skipIf(obstacle !== "" && !isRequired)(`a full disk${obstacle && ` (${obstacle})`}`, () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mountSmallDisk(DISK);
  });
  // Registered before the end of the processes, hence run after it.
  afterEach(() => disk?.remove());
  endProcessesAfterEach();

  const start = () => startProcess({ DATA_DIR: disk.directory, SEND_RATE: "100000", SEND_BURST: "100000" });
  const gaveUp = (server: ServerProcess) =>
    server.lines.filter((line) => line.startsWith("the embedded database gave up"));

  async function sayUntilRefused(alice: Monologue): Promise<void> {
    while (alice.refused.size === 0) {
      alice.say(BURST, LONG);
      await alice.answered();
    }
  }

  /** Ms until everything that was refused is stored. */
  async function storeRefused(alice: Monologue): Promise<number> {
    const begun = performance.now();
    await alice.until("room", () => {
      if (alice.unanswered.size > 0) return false;
      alice.sayAgain();
      return alice.unanswered.size === 0;
    });
    return performance.now() - begun;
  }

  async function expectAllStored(alice: Monologue, server: ServerProcess): Promise<void> {
    expect(compare(alice, await alice.history(server))).toEqual(noDiscrepancy);
    expect(await server.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    const next = start();
    const stored = await alice.history(next);
    expect(compare(alice, stored)).toEqual(noDiscrepancy);
    expect(stored).toHaveLength(alice.acknowledged.size);
    expect(alice.oddities).toEqual([]);
  }

  test("[ERROR-7] without room for messages: they are unavailable, the others are read, and later they are stored", {
    timeout: DEADLINE,
  }, async () => {
    const server = start();
    const alice = new Monologue("alice");
    await alice.connect(server);
    alice.say(BURST, LONG);
    await alice.answered();
    expect(alice.refused.size).toBe(0);
    disk.fill(MIB);
    await sayUntilRefused(alice);
    const refused = alice.refused.size;

    expect(compare(alice, await alice.history(server))).toEqual(noDiscrepancy);
    // What is stored can be read, but a message could not be stored.
    expect(await alice.request(server, "/readyz")).toMatchObject({ status: 503 });
    alice.sayAgain();
    await alice.answered();
    expect(alice.refused.size).toBeGreaterThan(0);

    disk.empty();
    const wait = await storeRefused(alice);
    expect(gaveUp(server)).toEqual([]);
    expect(alice.isOpen).toBe(true);
    await expectAllStored(alice, server);
    console.log(
      `embedded, disk full of messages: ${alice.acknowledged.size} acknowledged, 0 lost, 0 doubled; ${refused} refused as unavailable ` +
        `and stored ${Math.round(wait)} ms after there was room; the process, its socket and reading went on`,
    );
  });

  test("[ERROR-7] [CLOSE-2] without room for the database's log: all is unavailable, and it opens itself again when there is room", {
    timeout: DEADLINE,
  }, async () => {
    const server = start();
    const alice = new Monologue("alice");
    await alice.connect(server);
    // Enough for messages until the log, of which a segment has 16 MiB, needs its next one.
    disk.fill(20 * MIB);
    await sayUntilRefused(alice);
    expect(gaveUp(server)).toHaveLength(1);
    const refused = alice.refused.size;
    alice.sayAgain();
    await alice.answered();
    expect(alice.refused.size).toBe(refused);
    expect(await alice.request(server, "/healthz")).toMatchObject({ status: 200 });
    expect(await alice.request(server, "/readyz")).toMatchObject({ status: 503, body: { storage: "unavailable" } });
    expect(await alice.request(server, `/api/rooms/${alice.name}/messages`)).toMatchObject({
      status: 503,
      body: { error: { code: "unavailable" } },
    });
    await alice.until("an attempt to open it", () =>
      server.lines.join("\n").includes("cannot be opened again yet: ENOSPC"),
    );
    expect(alice.isOpen).toBe(true);

    disk.empty();
    const wait = await storeRefused(alice);
    expect(await alice.request(server, "/readyz")).toMatchObject({ status: 200 });
    expect(gaveUp(server)).toHaveLength(1);
    expect(alice.isOpen).toBe(true);
    await expectAllStored(alice, server);
    console.log(
      `embedded, disk full of log: ${alice.acknowledged.size} acknowledged, 0 lost, 0 doubled; ${refused} refused as unavailable ` +
        `and stored ${Math.round(wait)} ms after there was room, the database having opened itself again; the process and its socket went on`,
    );
  });

  test("a first start that had no room ends with a reason, and the next one starts afresh", {
    timeout: DEADLINE,
  }, async () => {
    disk.fill(20 * MIB);
    const first = start();
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(first.lines.join("\n")).toContain("the server could not start: ENOSPC");
    disk.empty();
    const second = start();
    const alice = new Monologue("alice");
    await alice.connect(second);
    alice.say(1, LONG);
    await alice.answered();
    await expectAllStored(alice, second);
  });
});
