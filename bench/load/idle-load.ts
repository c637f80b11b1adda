/** Badge sockets on which nothing happens. */
import { BadgeSocket } from "./badge-socket.ts";
import { concurrently } from "./concurrently.ts";
import { CONCURRENT_OPENINGS, type Load, type Setting } from "./load.ts";
import { userName } from "./names.ts";
import type { Latency } from "./plan.ts";
import { signToken } from "./tokens.ts";

export class IdleLoad implements Load {
  readonly outstanding = 0;
  protected readonly setting: Setting;
  protected readonly count: number;
  readonly #tokens: string[] = [];
  #sockets: readonly BadgeSocket[] = [];

  /** `count`: sockets, each of a user of its own. */
  constructor(setting: Setting, count: number) {
    this.setting = setting;
    this.count = count;
  }

  async open(): Promise<void> {
    const { plan } = this.setting;
    while (this.#tokens.length < this.count) {
      this.#tokens.push(await signToken(plan.secret, userName(plan.prefix, this.#tokens.length)));
    }
    await this.openAll(CONCURRENT_OPENINGS, () => {});
  }

  begin(): void {
    // To be open is all there is.
  }

  stop(): void {
    // Nothing is sent.
  }

  check(): void {
    for (const { name, frames } of this.#sockets) {
      if (frames !== 1) this.setting.faults.add(`${name}: got ${frames} frames where nothing happened`);
    }
  }

  get latencies(): readonly Latency[] {
    return [];
  }

  async close(): Promise<void> {
    await concurrently(this.count, CONCURRENT_OPENINGS, async (user) => this.#sockets[user]?.close());
  }

  /** Opens new sockets in place of those before, if there were any; `opened` is called with the first frame of each. */
  protected async openAll(atOnce: number, opened: () => void): Promise<void> {
    const { plan, dialect, targets } = this.setting;
    const sockets = Array.from({ length: this.count }, (_, user) => {
      return new BadgeSocket(`badge of ${userName(plan.prefix, user)}`, this.setting);
    });
    this.#sockets = sockets;
    await concurrently(this.count, atOnce, async (user) => {
      await sockets[user]?.open(targets.next(), dialect.badge(this.#tokens[user] ?? ""));
      opened();
    });
  }

  protected cutAll(): void {
    for (const socket of this.#sockets) socket.cut();
  }
}
