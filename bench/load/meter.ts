/** Counts all the time; what is measured is the difference between two moments. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Latency } from "./plan.ts";

const NANOSECONDS = 1e6;

interface Moment {
  /** As `performance.now()`. */
  readonly time: number;
  /** As `process.cpuUsage()`, in microseconds. */
  readonly cpu: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly badges: number;
}

export interface Measured {
  readonly elapsed: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly badges: number;
  readonly busy: number;
  readonly latency: Latency;
}

export class Meter {
  /** Since the load generator started. */
  messages = 0;
  deliveries = 0;
  badges = 0;
  readonly #latency = new LatencyRecord();
  #begun: Moment | null = null;
  #measured: Measured | null = null;

  get isMeasuring(): boolean {
    return this.#begun !== null && this.#measured === null;
  }

  begin(): void {
    this.#begun = this.#now();
  }

  end(): void {
    const end = this.#now();
    const begun = this.#begun;
    if (begun === null) throw new Error("measuring has not begun");
    const elapsed = end.time - begun.time;
    this.#measured = {
      elapsed,
      messages: end.messages - begun.messages,
      deliveries: end.deliveries - begun.deliveries,
      badges: end.badges - begun.badges,
      busy: (end.cpu - begun.cpu) / 1000 / elapsed,
      latency: this.#latency.summary(),
    };
  }

  get measured(): Measured {
    if (this.#measured === null) throw new Error("nothing has been measured yet");
    return this.#measured;
  }

  /** Milliseconds. */
  recordLatency(latency: number): void {
    if (this.isMeasuring) this.#latency.add(latency);
  }

  #now(): Moment {
    const { user, system } = process.cpuUsage();
    const { messages, deliveries, badges } = this;
    return { time: performance.now(), cpu: user + system, messages, deliveries, badges };
  }
}

export class LatencyRecord {
  readonly #histogram: RecordableHistogram = createHistogram();

  /** Milliseconds. */
  add(latency: number): void {
    this.#histogram.record(Math.max(1, Math.round(latency * NANOSECONDS)));
  }

  summary(): Latency {
    const { count } = this.#histogram;
    if (count === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
    return {
      count,
      p50: this.#histogram.percentile(50) / NANOSECONDS,
      p99: this.#histogram.percentile(99) / NANOSECONDS,
      max: this.#histogram.max / NANOSECONDS,
    };
  }
}
