/** Sockets that stop reading in a busy room, on a server process of its own: a row for one of them and a row for many. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { endProcessesAfterEach, type ServerProcess, startProcess } from "../support/processes.ts";
import { type FreshDatabase, freshDatabase, postgresUrl, servicesMissing } from "../support/services.ts";
import { BusyRoom } from "./busy-room.ts";
import { readMetrics } from "./node-metrics.ts";

/** Ms; it ends what hangs. */
const DEADLINE = 300_000;
const MIB = 1024 * 1024;
/** Bytes: some messages above what the kernel takes. */
const MAX_BUFFERED_BYTES = MIB / 4;
/** Bytes that the process may grow by with everything else it does, as it does when nobody stalls: V8's garbage above all. */
const ALLOWANCE = 64 * MIB;
const READERS = 6;
/** Messages before anybody stalls: the process has grown to its size. */
const CALM = 60;
/** More messages than the kernel's buffers on both sides hold; they end the test should the bound be none. */
const ENOUGH = 600;

export function describeStalledReaders(count: number): void {
  describe.skipIf(postgresUrl === undefined)(`readers that stall${servicesMissing && ` (${servicesMissing})`}`, () => {
    let database: FreshDatabase;
    beforeAll(async () => {
      database = await freshDatabase();
    });
    afterAll(() => database?.drop());
    endProcessesAfterEach();

    /** No ping cuts anybody: what is cut is cut for its bytes. */
    const start = (): ServerProcess =>
      startProcess({
        DATABASE_URL: database.url,
        MAX_BUFFERED_BYTES: `${MAX_BUFFERED_BYTES}`,
        MAX_SOCKETS_PER_USER: "1000",
        SEND_RATE: "100000",
        SEND_BURST: "100000",
        PING_SECONDS: "3600",
      });

    test(`[LIMIT-5] ${count} closed at the bound: the others wait for nobody, and who comes back misses nothing`, {
      timeout: DEADLINE,
    }, async () => {
      const url = await start().address;
      const room = await BusyRoom.open(url, READERS);
      onTestFinished(() => room.close());
      const calm = await say(room, url, (sent) => sent >= CALM);

      const stalled = await room.stall(count);
      expect((await readMetrics(url)).get("parley_sockets")).toBe(READERS + count);
      const from = room.sent;
      const busy = await say(room, url, (sent, slowReaders) => slowReaders === count || sent >= from + ENOUGH);
      expect(busy.slowReaders).toBe(count);
      // What the others got before that, they got beside sockets that took nothing.
      expect(busy.firstClosed - from).toBeGreaterThan(1);

      // One of them answers, the others are cut.
      const [first] = stalled;
      if (first === undefined) throw new Error("nobody stalled");
      const code = count === 1 ? await room.wake(first) : null;
      if (code !== null) expect(code).toBe(4408);
      const begun = performance.now();
      await vi.waitFor(async () => expect((await readMetrics(url)).get("parley_sockets")).toBe(READERS), {
        timeout: 60_000,
      });
      const cut = performance.now() - begun;
      const growth = busy.memory - calm.memory;
      expect(growth).toBeLessThanOrEqual(count * MAX_BUFFERED_BYTES + ALLOWANCE);

      await Promise.all(stalled.map((listener) => (listener.closeCode === null ? room.wake(listener) : null)));
      for (const listener of stalled) {
        expect(listener.heard).toBeLessThan(room.sent);
        const back = await room.comeBack(listener);
        expect(back.heard).toBe(room.sent);
        expect(listener.faults + back.faults).toBe(0);
      }
      expect(room.readers.map(({ heard, faults }) => ({ heard, faults }))).toEqual(
        Array(READERS).fill({ heard: room.sent, faults: 0 }),
      );
      console.log(
        `stalled readers: ${count} of ${count + READERS} sockets stalled, each closed with 4408 (bound ${MAX_BUFFERED_BYTES} bytes), ` +
          `${code === null ? `cut and gone ${Math.round(cut)} ms after the last was closed; ` : ""}` +
          `${READERS} others got all of ${room.sent} messages of 40 kB in order (${busy.firstClosed - from - 1} while all of the stalled were open), median ${median(busy.times)} ms while some stalled, ` +
          `${median(calm.times)} ms before; the node's memory grew by ${Math.round(growth / MIB)} MiB; 0 missed by those who came back`,
      );
    });
  });
}

interface Talk {
  /** Ms, of each message, until all who read have it. */
  readonly times: number[];
  /** Bytes resident, at most. */
  readonly memory: number;
  readonly slowReaders: number;
  /** How many messages had been sent when the first slow reader was closed. */
  readonly firstClosed: number;
}

/** One message after the other, until the node says so. */
async function say(
  room: BusyRoom,
  url: string,
  isEnough: (sent: number, slowReaders: number) => boolean,
): Promise<Talk> {
  const times: number[] = [];
  let memory = 0;
  let slowReaders = 0;
  let firstClosed = 0;
  while (!isEnough(room.sent, slowReaders)) {
    times.push(await room.say());
    const metrics = await readMetrics(url);
    memory = Math.max(memory, metrics.get("process_resident_memory_bytes") ?? Number.NaN);
    slowReaders = metrics.get("parley_slow_readers_total") ?? Number.NaN;
    if (slowReaders > 0 && firstClosed === 0) firstClosed = room.sent;
  }
  return { times, memory, slowReaders, firstClosed };
}

function median(values: readonly number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(1);
}
