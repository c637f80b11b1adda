/** Idle sockets that are all cut in one moment, as when a node dies, and opened again as fast as the server lets them in. */
import { IdleLoad } from "./idle-load.ts";
import type { Setting } from "./load.ts";
import { LatencyRecord } from "./meter.ts";
import type { Latency } from "./plan.ts";

export class StormLoad extends IdleLoad {
  readonly #atOnce: number;
  readonly #latency = new LatencyRecord();
  #finished: Promise<void> = Promise.resolve();

  /** `atOnce`: how many sockets are being opened again at any moment. */
  constructor(setting: Setting, count: number, atOnce: number) {
    super(setting, count);
    this.#atOnce = atOnce;
  }

  override begin(): void {
    const begun = performance.now();
    this.cutAll();
    this.#finished = this.openAll(this.#atOnce, () => this.#latency.add(performance.now() - begun)).catch(
      (error: unknown) => {
        this.setting.faults.add(error instanceof Error ? error.message : String(error));
      },
    );
  }

  finished(): Promise<void> {
    return this.#finished;
  }

  override get latencies(): readonly Latency[] {
    return [this.#latency.summary()];
  }
}
