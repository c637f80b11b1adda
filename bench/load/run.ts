/** A plan carried out: opened, warmed up, measured, drained, checked. */
import { setTimeout as sleep } from "node:timers/promises";
import { channelsDialect } from "./channels-dialect.ts";
import type { Dialect } from "./dialect.ts";
import { Faults } from "./faults.ts";
import { IdleLoad } from "./idle-load.ts";
import type { Load, Setting } from "./load.ts";
import { Meter } from "./meter.ts";
import { OpenLoad } from "./open-load.ts";
import { PairsLoad } from "./pairs-load.ts";
import type { Plan, Result, Wire } from "./plan.ts";
import { RoomLoad } from "./room-load.ts";
import { socketIoDialect } from "./socket-io-dialect.ts";
import { StormLoad } from "./storm-load.ts";
import { Targets } from "./targets.ts";

const DRAINING_DEADLINE = 30_000;
/** Milliseconds between two looks at what is outstanding. */
const DRAINING_INTERVAL = 10;
/** Milliseconds after everything came, in which what comes twice would come. */
const AFTERMATH = 200;

const dialects: Record<Wire, Dialect> = { channels: channelsDialect, "socket.io": socketIoDialect };

export class Run {
  readonly #plan: Plan;
  readonly #drainingDeadline: number;
  readonly #meter = new Meter();
  readonly #faults = new Faults();
  readonly #load: Load;

  /** `drainingDeadline`: milliseconds that what was sent has to come, after the last was sent. */
  constructor(plan: Plan, drainingDeadline = DRAINING_DEADLINE) {
    this.#plan = plan;
    this.#drainingDeadline = drainingDeadline;
    const setting = {
      plan,
      dialect: dialects[plan.wire],
      targets: new Targets(plan.servers),
      meter: this.#meter,
      faults: this.#faults,
    };
    this.#load = loadOf(setting);
  }

  /** Resolves when every socket is open. */
  open(): Promise<void> {
    return this.#load.open();
  }

  /** `report` is called as measuring begins and as it ends. */
  async measure(report: (moment: "measuring" | "measured") => void): Promise<Result> {
    this.#load.begin();
    await sleep(this.#plan.warmUp);
    report("measuring");
    this.#meter.begin();
    await (this.#load.finished?.() ?? sleep(this.#plan.measure));
    this.#meter.end();
    report("measured");
    this.#load.stop();
    await this.#drain();
    this.#load.check();
    return { ...this.#meter.measured, latencies: this.#load.latencies, faults: this.#faults.lines };
  }

  close(): Promise<void> {
    return this.#load.close();
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + this.#drainingDeadline;
    while (this.#load.outstanding > 0) {
      if (performance.now() > deadline) {
        this.#faults.add(`${this.#load.outstanding} frames did not come within ${this.#drainingDeadline} ms`);
        return;
      }
      await sleep(DRAINING_INTERVAL);
    }
    await sleep(AFTERMATH);
  }
}

function loadOf(setting: Setting): Load {
  const { workload } = setting.plan;
  switch (workload.kind) {
    case "room":
      return new RoomLoad(setting, workload.sockets, workload.inFlight);
    case "pairs":
      return new PairsLoad(setting, { ...workload, senders: "both" });
    case "single":
      return new PairsLoad(setting, { pairs: 1, inFlight: 1, badges: false, senders: "first" });
    case "idle":
      return new IdleLoad(setting, workload.sockets);
    case "storm":
      return new StormLoad(setting, workload.sockets, workload.atOnce);
    case "open":
      return new OpenLoad(setting, workload.users);
  }
}
