/** One group. The senders take turns, so that all sockets are read from; none has two messages on their way. */
import { ConversationLoad } from "./conversation-load.ts";
import type { Setting } from "./load.ts";
import { groupName } from "./names.ts";
import type { RoomSocket } from "./room-socket.ts";

export class RoomLoad extends ConversationLoad {
  readonly #inFlight: number;
  #turn = 0;

  constructor(setting: Setting, sockets: number, inFlight: number) {
    if (inFlight > sockets) throw new Error(`${sockets} senders cannot have ${inFlight} messages in flight`);
    const group = groupName(setting.plan.prefix);
    const users = Array.from({ length: sockets }, (_, index) => index);
    super(setting, { rooms: [{ users, nameFor: () => group }], group, badges: false });
    this.#inFlight = inFlight;
  }

  override begin(): void {
    for (let started = 0; started < this.#inFlight; started += 1) this.#nextSender().send();
  }

  protected override echoed(): void {
    if (!this.isStopped) this.#nextSender().send();
  }

  /** There is always one: fewer messages are on their way than there are sockets. */
  #nextSender(): RoomSocket {
    const sockets = this.conversations[0]?.sockets ?? [];
    for (;;) {
      const socket = sockets[this.#turn % sockets.length];
      this.#turn += 1;
      if (socket === undefined) throw new Error("the room has no sockets");
      if (!socket.isAwaitingEcho) return socket;
    }
  }
}
