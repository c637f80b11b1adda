/** What the sockets of one room are to have seen between them. */
import type { Faults } from "./faults.ts";
import type { RoomSocket } from "./room-socket.ts";

export class Conversation {
  readonly sockets: readonly RoomSocket[];

  constructor(sockets: readonly RoomSocket[]) {
    this.sockets = sockets;
  }

  get sent(): number {
    return this.sockets.reduce((sum, { sent }) => sum + sent, 0);
  }

  /** How many messages are still to come, over all sockets. */
  get outstanding(): number {
    const { sent } = this;
    return this.sockets.reduce((sum, { received }) => sum + Math.max(0, sent - received), 0);
  }

  /** To be called when nothing more is sent, and what was sent has had its time to come. */
  check(faults: Faults): void {
    const { sent } = this;
    const [first] = this.sockets;
    for (const socket of this.sockets) {
      const { name, received, echoed, seq, digest } = socket;
      if (received !== sent) faults.add(`${name}: got ${received} messages of ${sent}`);
      if (echoed !== socket.sent) faults.add(`${name}: was echoed ${echoed} of ${socket.sent} messages`);
      if (seq !== first?.seq) faults.add(`${name}: ends at number ${seq}, ${first?.name} at ${first?.seq}`);
      else if (digest !== first.digest)
        faults.add(`${name}: got other messages than ${first.name}, or in another order`);
    }
  }
}
