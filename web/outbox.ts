/** One's own messages that are not in the conversation yet, or did not get there. */
import { signal } from "@preact/signals";
import { ParleyError, type Room, type RoomMessage, type RoomRequest } from "../client/index.ts";
import { problemText } from "./session.ts";

export type WaitingMessage = Extract<RoomRequest, { type: "chat_message" }>;

export interface FailedMessage {
  readonly message: RoomMessage & { readonly client_id: string };
  readonly why: string;
}

export class Outbox {
  /** In the order in which they go. */
  readonly waiting = signal<readonly WaitingMessage[]>([]);
  readonly failed = signal<readonly FailedMessage[]>([]);
  readonly #connection: Room;

  constructor(connection: Room) {
    this.#connection = connection;
    connection.onPending((pending) => {
      this.waiting.value = pending.filter((request) => request.type === "chat_message");
    });
  }

  send(message: RoomMessage): void {
    void this.#send({ ...message, client_id: newClientId() });
  }

  /** Under the same client id: had it been stored after all, it is still one message. */
  retry({ message }: FailedMessage): void {
    this.discard(message.client_id);
    void this.#send(message);
  }

  discard(clientId: string): void {
    this.failed.value = this.failed.peek().filter(({ message }) => message.client_id !== clientId);
  }

  async #send(message: FailedMessage["message"]): Promise<void> {
    try {
      await this.#connection.send(message);
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      this.failed.value = [...this.failed.peek(), { message, why: problemText(error) }];
    }
  }
}

/** 128 random bits; `crypto.randomUUID` is there on pages over https alone. */
function newClientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
