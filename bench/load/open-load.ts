/** Badge sockets opened one after the other: how long until a user sees their count. */
import { BadgeSocket } from "./badge-socket.ts";
import type { Load, Setting } from "./load.ts";
import { LatencyRecord } from "./meter.ts";
import type { Latency } from "./plan.ts";
import { signToken } from "./tokens.ts";

interface User {
  readonly user: string;
  readonly unread: number;
  readonly latency: LatencyRecord;
  token: string;
}

export class OpenLoad implements Load {
  readonly #setting: Setting;
  readonly #users: readonly User[];
  #isStopped = false;
  #running: Promise<void> | null = null;

  constructor(setting: Setting, users: readonly { readonly user: string; readonly unread: number }[]) {
    this.#setting = setting;
    this.#users = users.map((user) => ({ ...user, latency: new LatencyRecord(), token: "" }));
    if (users.length === 0) throw new Error("the plan names no users");
  }

  async open(): Promise<void> {
    for (const user of this.#users) user.token = await signToken(this.#setting.plan.secret, user.user);
  }

  begin(): void {
    this.#running = this.#openInTurn()
      .catch((error: unknown) => {
        this.#setting.faults.add(error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        this.#running = null;
      });
  }

  stop(): void {
    this.#isStopped = true;
  }

  get outstanding(): number {
    return this.#running === null ? 0 : 1;
  }

  check(): void {
    // Each count was looked at as it came.
  }

  get latencies(): readonly Latency[] {
    return this.#users.map(({ latency }) => latency.summary());
  }

  async close(): Promise<void> {
    this.stop();
    await this.#running;
  }

  async #openInTurn(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn += 1) {
      const user = this.#users[turn % this.#users.length];
      if (user !== undefined) await this.#openOne(user);
    }
  }

  async #openOne({ user, unread, latency, token }: User): Promise<void> {
    const { dialect, targets, meter, faults } = this.#setting;
    const socket = new BadgeSocket(`badge of ${user}`, this.#setting);
    const begun = performance.now();
    await socket.open(targets.next(), dialect.badge(token));
    const taken = performance.now() - begun;
    meter.recordLatency(taken);
    if (meter.isMeasuring) latency.add(taken);
    if (socket.first !== unread) faults.add(`${socket.name}: began at ${socket.first}, not at ${unread}`);
    await socket.close();
  }
}
