/** What one socket asks of its node: what its frames cost its user, and how much of it is under way. */
import { costOfFrame, costs } from "../core/costs.ts";
import type { RateLimit } from "../core/rate.ts";

/** Commands of one socket that are under way together. Beyond, its next frame waits, and reading from it pauses. */
export const MAX_COMMANDS = 64;

/** Of all sockets of a node. */
export interface WorkCounters {
  commandsUnderWay: number;
  /** Refused because their user has spent more than COMMAND_RATE. */
  framesRefused: number;
}

export class Workload {
  readonly #rate: RateLimit;
  readonly #counters: WorkCounters;
  readonly #userId: string;
  #underWay = 0;
  /** Lets the next frame go on; null: none waits. */
  #goOn: (() => void) | null = null;
  /** The next frame's own unit was spent when the one before was refused. */
  #isPaid = false;

  constructor(rate: RateLimit, counters: WorkCounters, userId: string) {
    this.#rate = rate;
    this.#counters = counters;
    this.#userId = userId;
  }

  /**
   * Spends for a frame of this length, before it is looked at: 0, or the milliseconds that it came too early. Then the frame
   * is to be refused, and the next one, which is not to be looked at before, is paid for: so of all sockets of a user each
   * gets its turn, and no more is refused than is let through.
   */
  admit(length: number): number {
    const cost = costOfFrame(length);
    if (this.#isPaid) {
      this.#isPaid = false;
      this.#rate.charge(this.#userId, cost - costs.frame);
      return 0;
    }
    if (this.#rate.take(this.#userId, cost) === 0) return 0;
    this.#isPaid = true;
    this.#counters.framesRefused += 1;
    return this.#rate.charge(this.#userId, costs.frame);
  }

  /** Spends what a frame that was admitted turned out to cost beyond its own unit. */
  charge(cost: number): void {
    if (cost > costs.frame) this.#rate.charge(this.#userId, cost - costs.frame);
  }

  /** Spends for a frame that cannot be refused. The milliseconds until it is paid for. */
  chargeControl(): number {
    return this.#rate.charge(this.#userId, costs.frame);
  }

  /** Counts a command as under way until it has settled. */
  track(command: Promise<void>): Promise<void> {
    this.#underWay += 1;
    this.#counters.commandsUnderWay += 1;
    return command.finally(() => {
      this.#underWay -= 1;
      this.#counters.commandsUnderWay -= 1;
      if (this.#underWay >= MAX_COMMANDS) return;
      this.#goOn?.();
      this.#goOn = null;
    });
  }

  /** Null: another command may begin. Else resolves when it may. Only the next frame waits, hence one at a time. */
  room(): Promise<void> | null {
    if (this.#underWay < MAX_COMMANDS) return null;
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }
}
