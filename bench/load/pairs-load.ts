/** Direct conversations: of each pair both send, or one alone. Each answers its own echo with its next message. */
import { ConversationLoad, type Room } from "./conversation-load.ts";
import type { Setting } from "./load.ts";
import { userName } from "./names.ts";
import type { RoomSocket } from "./room-socket.ts";

export interface PairsOptions {
  readonly pairs: number;
  /** For each sender. */
  readonly inFlight: number;
  readonly badges: boolean;
  readonly senders: "both" | "first";
}

export class PairsLoad extends ConversationLoad {
  readonly #options: PairsOptions;

  constructor(setting: Setting, options: PairsOptions) {
    const rooms = Array.from({ length: options.pairs }, (_, index) => pair(setting.plan.prefix, 2 * index));
    super(setting, { rooms, group: null, badges: options.badges });
    this.#options = options;
  }

  override begin(): void {
    const { inFlight, senders } = this.#options;
    for (let started = 0; started < inFlight; started += 1) {
      for (const { sockets } of this.conversations) {
        for (const socket of senders === "both" ? sockets : sockets.slice(0, 1)) socket.send();
      }
    }
  }

  protected override echoed(socket: RoomSocket): void {
    if (!this.isStopped) socket.send();
  }
}

function pair(prefix: string, first: number): Room {
  const users = [first, first + 1];
  return { users, nameFor: (user) => userName(prefix, user === first ? first + 1 : first) };
}
