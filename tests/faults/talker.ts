/** Somebody who always has a message on its way, until their socket is closed: what a node that stops has in hand. */
import { expect } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import type { ClusterNode } from "./cluster-node.ts";
import type { Ledger, SentMessage } from "./ledger.ts";

/** Messages on their way at once. */
const IN_FLIGHT = 2;

export class Talker {
  readonly person: string;
  /** Said, and not echoed. */
  readonly unanswered = new Map<string, SentMessage>();
  /** The code of the close frame. */
  readonly closed: Promise<number>;
  readonly #ledger: Ledger;
  readonly #conversationId: string;
  readonly #socket: Communicator;

  private constructor(person: string, socket: Communicator, to: { ledger: Ledger; conversationId: string }) {
    this.person = person;
    this.#socket = socket;
    this.#ledger = to.ledger;
    this.#conversationId = to.conversationId;
    this.closed = socket.closed.then(({ code }) => code);
  }

  /** Enters the conversation with oneself, which a first message makes. What is said goes into the ledger. */
  static async open(person: string, node: ClusterNode, ledger: Ledger): Promise<Talker> {
    const token = await tokenFor(person);
    const first = ledger.write(person, "");
    const response = await fetch(`${node.url}/api/rooms/${person}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ message: first.text, client_id: first.clientId }),
    });
    const stored = (await response.json()) as Frame;
    expect(response.status, JSON.stringify(stored)).toBe(201);
    const { conversation_id: conversationId } = stored;
    ledger.messages.set(first.clientId, { ...first, conversationId });
    ledger.acknowledge(first.clientId, stored);
    const socket = await Communicator.connect(`${node.sockets}/ws/${person}/`, token);
    await socket.receiveType("user_join");
    return new Talker(person, socket, { ledger, conversationId });
  }

  /** From now on, each echo makes them say the next thing. */
  talk(): void {
    this.#socket.socket.on("message", (data) => this.#hear(JSON.parse(data.toString())));
    while (this.unanswered.size < IN_FLIGHT) this.#say();
  }

  /** Says again, on another node, what was not echoed. Resolves with the answers. */
  async sayAgain(node: ClusterNode): Promise<Frame[]> {
    const socket = await Communicator.connect(`${node.sockets}/ws/${this.person}/`, await tokenFor(this.person));
    const answers: Frame[] = [];
    for (const { clientId, text } of this.unanswered.values()) {
      socket.send({ type: "chat_message", message: text, client_id: clientId });
      const answer = await socket.receiveType("chat_message");
      this.#ledger.acknowledge(answer.client_id, answer);
      answers.push(answer);
    }
    await socket.close();
    return answers;
  }

  close(): void {
    this.#socket.socket.terminate();
  }

  #say(): void {
    const message = this.#ledger.write(this.person, this.#conversationId);
    this.unanswered.set(message.clientId, message);
    this.#socket.send({ type: "chat_message", message: message.text, client_id: message.clientId });
  }

  #hear(frame: Frame): void {
    if (frame.type !== "chat_message") return;
    this.unanswered.delete(frame.client_id);
    this.#ledger.acknowledge(frame.client_id, frame);
    if (this.#socket.socket.readyState === 1) this.#say();
  }
}
