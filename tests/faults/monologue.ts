/** What somebody says to themselves, under client ids, and what the server said became of it. */
import { randomBytes } from "node:crypto";
import { vi } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import type { ServerProcess } from "../support/processes.ts";
import { tokenFor } from "../support/stack.ts";

export interface Acknowledged {
  readonly id: string;
  readonly seq: number;
  readonly message: string;
}

/** Ms; it ends what hangs. */
const PATIENCE = { timeout: 60_000, interval: 20 };

export class Monologue {
  readonly name: string;
  /** By client id, as all of these. */
  readonly acknowledged = new Map<string, Acknowledged>();
  /** Said, and neither acknowledged nor refused. */
  readonly unanswered = new Map<string, string>();
  /** Refused as `unavailable`, and not said again since. */
  readonly refused = new Map<string, string>();
  /** What ought not to come: other errors, and a second answer that differs from the first. */
  readonly oddities: Frame[] = [];
  /** How many had been stored although nothing had come back, and so were only repeated. */
  repeated = 0;
  #said = 0;
  #socket: Communicator | null = null;

  constructor(name: string) {
    this.name = name;
  }

  get path(): string {
    return `/ws/${this.name}/`;
  }

  get isOpen(): boolean {
    return this.#socket?.socket.readyState === 1;
  }

  async connect(server: ServerProcess): Promise<Communicator> {
    const sockets = (await server.address).replace("http", "ws");
    const socket = await Communicator.connect(`${sockets}${this.path}`, await tokenFor(this.name));
    await socket.receiveType("user_join");
    socket.socket.on("message", (data) => this.#hear(JSON.parse(data.toString())));
    this.#socket = socket;
    return socket;
  }

  /** New messages of so many characters, which do not shrink. */
  say(count: number, length: number): void {
    for (let said = 0; said < count; said += 1) {
      this.#said += 1;
      this.#send(`${this.#said}`, randomBytes(length / 2).toString("hex"));
    }
  }

  /** Everything that is not known to be stored, under the client ids it had. */
  sayAgain(): void {
    const again = [...this.unanswered, ...this.refused];
    this.refused.clear();
    for (const [clientId, message] of again) this.#send(clientId, message);
  }

  /** Resolves when this holds. Rejects when it does not within a minute. */
  until(what: string, holds: () => boolean): Promise<void> {
    return vi.waitFor(() => {
      if (!holds()) throw new Error(`not yet: ${what}`);
    }, PATIENCE);
  }

  async answered(): Promise<void> {
    await this.until("an answer to everything", () => this.unanswered.size === 0);
  }

  async request(server: ServerProcess, path: string): Promise<{ status: number; body: Frame }> {
    const response = await fetch(`${await server.address}${path}`, {
      headers: { authorization: `Bearer ${await tokenFor(this.name)}` },
    });
    return { status: response.status, body: await response.json() };
  }

  /** All that is stored, oldest first. */
  async history(server: ServerProcess): Promise<Frame[]> {
    const messages: Frame[] = [];
    for (let path: string | null = `/api/rooms/${this.name}/messages?limit=100`; path !== null; ) {
      const { status, body } = await this.request(server, path);
      if (status !== 200) throw new Error(`history was refused: ${JSON.stringify(body)}`);
      messages.push(...body.messages);
      const next: URL | null = body.next === null ? null : new URL(body.next, await server.address);
      path = next === null ? null : next.pathname + next.search;
    }
    return messages.reverse();
  }

  #send(clientId: string, message: string): void {
    this.unanswered.set(clientId, message);
    this.#socket?.send({ type: "chat_message", message, client_id: clientId });
  }

  #hear(frame: Frame): void {
    const message = this.unanswered.get(frame.client_id);
    if (frame.type === "chat_message" && frame.message === message) {
      this.unanswered.delete(frame.client_id);
      this.acknowledged.set(frame.client_id, { id: frame.id, seq: frame.seq, message: frame.message });
      if (frame.repeated === true) this.repeated += 1;
    } else if (frame.type === "error" && frame.code === "unavailable" && message !== undefined) {
      this.unanswered.delete(frame.client_id);
      this.refused.set(frame.client_id, message);
    } else this.oddities.push(frame);
  }
}

/** Counts of what differs between what was acknowledged and what is stored. */
export interface Discrepancy {
  readonly lost: number;
  /** Stored under another id, number or text than was acknowledged. */
  readonly altered: number;
  readonly doubled: number;
  readonly gaps: number;
}

export const noDiscrepancy: Discrepancy = { lost: 0, altered: 0, doubled: 0, gaps: 0 };

/** `stored`: a whole history, oldest first, of messages that were never edited. */
export function compare({ acknowledged }: Monologue, stored: readonly Frame[]): Discrepancy {
  const byClientId = new Map(stored.map((message) => [message.client_id, message]));
  const found = [...acknowledged].map(([clientId, said]) => ({ said, message: byClientId.get(clientId) }));
  return {
    lost: found.filter(({ message }) => message === undefined).length,
    altered: found.filter(
      ({ said, message }) =>
        message !== undefined &&
        (message.id !== said.id || message.seq !== said.seq || message.content !== said.message),
    ).length,
    doubled: stored.length - byClientId.size,
    gaps: stored.filter(({ seq }, index) => seq !== index + 1).length,
  };
}
