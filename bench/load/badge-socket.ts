/** A user's badge: follows the count of unread messages. */
import { ClientSocket } from "./client-socket.ts";
import { FieldScanner, wholeNumberAt } from "./scan.ts";

const unreadCountField = new FieldScanner("unread_count");

export class BadgeSocket extends ClientSocket {
  frames = 0;
  /** Its first; null before it came. */
  first: number | null = null;
  last = 0;

  /** How much was added since it was opened. */
  get counted(): number {
    return this.last - (this.first ?? 0);
  }

  protected override badge(bytes: Buffer, start: number, end: number): void {
    this.surroundings.meter.badges += 1;
    this.frames += 1;
    const count = wholeNumberAt(bytes, unreadCountField.find(bytes, start, end), end);
    if (count < 0 || count < this.last) this.fault(`the count fell from ${this.last} to ${count}`);
    this.first ??= count;
    this.last = count;
  }

  protected override message(): void {
    this.fault("was sent a room's message");
  }
}
