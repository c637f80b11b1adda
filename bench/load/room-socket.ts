/** A user's socket in a room: sends numbered messages, and checks that what comes is what was sent. */
import { NumberedFrame } from "./client-frame.ts";
import { ClientSocket, type Surroundings } from "./client-socket.ts";
import { clientIdOf, NUMBER_PLACEHOLDER, numberOf, readClientId, senderOf } from "./names.ts";
import { FieldScanner, wholeNumberAt } from "./scan.ts";

/** 64 characters. */
const MESSAGE = "The meeting moved to half past three; bring the figures, please.";

/** How many messages of one sender may be on their way. */
const MAX_IN_FLIGHT = 1024;

const seqField = new FieldScanner("seq");
const clientIdField = new FieldScanner("client_id", '"');

export class RoomSocket extends ClientSocket {
  /** The number of its last message, from 1. */
  sent = 0;
  /** The highest of its numbers that came back. */
  echoed = 0;
  /** Everybody's. */
  received = 0;
  /** Of the last message; 0 before the first. */
  seq = 0;
  /** Of the messages in the order in which they came: equal where the same came in the same order. */
  digest = 0;
  readonly #sender: number;
  readonly #frame: NumberedFrame;
  readonly #onEcho: (socket: RoomSocket) => void;
  /** When message n was sent, at n modulo MAX_IN_FLIGHT. */
  readonly #sentAt: number[] = [];

  /** `sender`: the user's number. `onEcho`: a message of its own came back. */
  constructor(
    name: string,
    room: string,
    sender: number,
    surroundings: Surroundings,
    onEcho: (socket: RoomSocket) => void,
  ) {
    super(name, surroundings);
    this.#sender = sender;
    this.#onEcho = onEcho;
    const text = surroundings.dialect.chatMessage(room, MESSAGE, clientIdOf(sender));
    this.#frame = new NumberedFrame(text, NUMBER_PLACEHOLDER);
  }

  get isAwaitingEcho(): boolean {
    return this.echoed < this.sent;
  }

  send(): void {
    this.sent += 1;
    this.#sentAt[this.sent % MAX_IN_FLIGHT] = performance.now();
    this.connection.write(this.#frame.numbered(this.sent));
  }

  protected override message(bytes: Buffer, start: number, end: number): void {
    this.surroundings.meter.deliveries += 1;
    const seq = wholeNumberAt(bytes, seqField.find(bytes, start, end), end);
    if (this.received === 0 ? seq < 1 : seq !== this.seq + 1) this.fault(`number ${seq} came after ${this.seq}`);
    this.received += 1;
    this.seq = seq;

    const clientId = readClientId(bytes, clientIdField.find(bytes, start, end), end);
    if (clientId < 0) this.fault(`number ${seq} is a message that nobody here sent`);
    this.digest = (Math.imul(this.digest, 31) + (clientId % 0x7fffffff)) | 0;
    if (senderOf(clientId) === this.#sender) this.#echo(numberOf(clientId));
  }

  #echo(number: number): void {
    if (number !== this.echoed + 1 || number > this.sent) {
      this.fault(`message ${number} was echoed after ${this.echoed}, of ${this.sent} sent`);
      // What comes twice, or was never sent, must not set off another message.
      if (number <= this.echoed || number > this.sent) return;
    }
    const { meter } = this.surroundings;
    meter.recordLatency(performance.now() - (this.#sentAt[number % MAX_IN_FLIGHT] ?? 0));
    meter.messages += 1;
    this.echoed = number;
    this.#onEcho(this);
  }

  protected override badge(): void {
    this.fault("was sent a badge in a room");
  }
}
