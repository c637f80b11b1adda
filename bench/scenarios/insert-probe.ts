/**
 * How long one INSERT takes on one connection: the peers' statement, one after the other. A process of its own, with
 * DATABASE_URL, WARM_UP and MEASURE (milliseconds) in its environment; says `InsertTime` to its parent.
 */
import { randomUUID } from "node:crypto";
import { createHistogram } from "node:perf_hooks";
import { Client } from "pg";
import { CREATE_MESSAGES, INSERT_MESSAGE } from "../peers/message-table.ts";
import { setting } from "../peers/settings.ts";

export interface InsertTime {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const TEXT = "a message of about sixty-four characters, which is a usual length";

const warmUp = Number(setting("WARM_UP"));
const measure = Number(setting("MEASURE"));
const client = new Client({ connectionString: setting("DATABASE_URL") });
const nanoseconds = createHistogram();
let seq = 0;

/** Until so many milliseconds have passed. */
async function insertFor(milliseconds: number, inserted: (start: number) => void): Promise<void> {
  const end = performance.now() + milliseconds;
  for (let start = performance.now(); start < end; start = performance.now()) {
    seq += 1;
    const values = [randomUUID(), "bench", seq, "bench", TEXT, new Date()];
    await client.query({ name: "insert_message", text: INSERT_MESSAGE, values });
    inserted(start);
  }
}

await client.connect();
await client.query(CREATE_MESSAGES);
await insertFor(warmUp, () => {});
await insertFor(measure, (start) => nanoseconds.record(Math.max(1, Math.round((performance.now() - start) * 1e6))));
await client.end();

const time: InsertTime = {
  count: nanoseconds.count,
  p50: nanoseconds.percentile(50) / 1e6,
  p99: nanoseconds.percentile(99) / 1e6,
};
process.send?.(time);
