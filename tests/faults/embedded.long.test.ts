/** An embedded server that is killed, again and again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endProcessesAfterEach, startProcess } from "../support/processes.ts";
import { compare, Monologue, noDiscrepancy } from "./monologue.ts";

/** Ms; it ends what hangs: a process is started seven times. */
const DEADLINE = 600_000;
const KILLS = 6;
const BURST = 600;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-test-data-"));
});
// Registered before the end of the processes, hence run after it.
afterEach(() => rm(directory, { recursive: true, force: true }));
endProcessesAfterEach();

test("kill -9 in the midst of a burst loses nothing that was acknowledged, and sending again doubles nothing", {
  timeout: DEADLINE,
}, async () => {
  const settings = { DATA_DIR: directory, SEND_RATE: "100000", SEND_BURST: "100000" };
  const alice = new Monologue("alice");
  let interrupted = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const server = startProcess(settings);
    const socket = await alice.connect(server);
    alice.sayAgain();
    const before = alice.acknowledged.size + alice.unanswered.size;
    alice.say(BURST, 200);
    // Each time at another place of the burst.
    const killed = before + Math.round((BURST * kill) / (KILLS + 2));
    await alice.until("the place of the kill", () => alice.acknowledged.size >= killed);
    expect(await server.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
    expect((await socket.closed).code).toBe(1006);
    interrupted += alice.unanswered.size;

    const next = startProcess(settings);
    expect(compare(alice, await alice.history(next))).toEqual(noDiscrepancy);
    await next.end("SIGKILL");
  }
  const last = startProcess(settings);
  await alice.connect(last);
  alice.sayAgain();
  await alice.answered();
  const stored = await alice.history(last);
  expect(compare(alice, stored)).toEqual(noDiscrepancy);
  expect(stored).toHaveLength(KILLS * BURST);
  expect(alice.acknowledged.size).toBe(stored.length);
  expect(alice.oddities).toEqual([]);
  // Or else no kill came in the midst of anything.
  expect(interrupted).toBeGreaterThan(0);
  console.log(
    `embedded, kill -9: ${KILLS * 2} kills, ${KILLS} of them in a burst; ${stored.length} messages acknowledged, 0 lost, 0 doubled; ` +
      `${interrupted} interrupted, of which ${alice.repeated} had been stored and were only repeated`,
  );
});
