/**
 * Steady traffic: people in direct conversations and groups, on all nodes and in every dialect, who send at a steady rate,
 * edit, read, come and go. What they sent is in the ledger, what their sockets heard in the records.
 */
import { expect, onTestFinished, vi } from "vitest";
import { tokenFor } from "../support/stack.ts";
import type { Cluster } from "./cluster.ts";
import { Ledger } from "./ledger.ts";
import { libraryLines } from "./library-lines.ts";
import type { BadgeLine, EventLine, Line, Opener, RoomLine } from "./lines.ts";
import { rawLines } from "./raw-lines.ts";
import { Visitor } from "./visitor.ts";

export interface TrafficOptions {
  /** "raw": sockets that must stay open; "library": the client library, which comes back. "raw" by default. */
  readonly lines?: "raw" | "library";
  /** At least 4; 6 by default. Pairs of them have direct conversations; all are in one group, half of them in another. */
  readonly people?: number;
  /** Messages a second of all together; 30 by default. */
  readonly rate?: number;
  /** People who enter the group of all, stay for a moment, and go, over and over; 2 by default. */
  readonly visitors?: number;
}

export interface Conversation {
  readonly id: string;
  /** Usernames of those with a line into it, visitors not among them. */
  readonly people: readonly string[];
}

/** Of so many turns one is an edit, and one a read mark. */
const EDIT_EVERY = 12;
const READ_EVERY = 9;
/** Beyond so many unanswered nobody says more: a fault is not to become a flood when it ends. */
const UNANSWERED_LIMIT = 2_000;

export class Traffic {
  readonly ledger = new Ledger();
  readonly conversations: Conversation[] = [];
  readonly rooms: RoomLine[] = [];
  readonly badges: BadgeLine[] = [];
  readonly events: EventLine[] = [];
  readonly visitors: Visitor[] = [];
  readonly kind: "raw" | "library";
  /** By `performance.now()`. */
  readonly startedAt = performance.now();
  readonly #cluster: Cluster;
  readonly #rate: number;
  #timer: NodeJS.Timeout | null = null;
  #turn = 0;

  constructor(cluster: Cluster, { kind, rate }: { kind: "raw" | "library"; rate: number }) {
    this.kind = kind;
    this.#cluster = cluster;
    this.#rate = rate;
  }

  get lines(): Line[] {
    return [...this.rooms, ...this.badges, ...this.events];
  }

  /** Resolves when so many more messages were acknowledged; rejects when that takes half a minute. */
  flows(count: number): Promise<void> {
    return this.ledger.flows(count);
  }

  /** So many messages, each sent when the one before was acknowledged: what is made up for later cannot hurry it. */
  async converse(count: number): Promise<void> {
    for (const line of this.rooms.slice(0, count)) {
      const message = this.ledger.write(line.person, line.record.conversationId);
      line.say(message.clientId, message.text);
      await this.ledger.answered(message.clientId);
    }
  }

  /** From now on a tenth of it. */
  whisper(): void {
    this.#beat(this.#rate / 10);
  }

  /** Nobody says more; resolves when all that was said is acknowledged and the visitors are where they stay. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.ledger.close();
    // Every other one stays, so that both are there to be judged.
    const stops = this.visitors.map((visitor, index) => visitor.stop(index % 2 === 0 ? "inside" : "outside"));
    await Promise.all([this.ledger.settled(), ...stops]);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const line of [...this.lines, ...this.visitors]) line.close();
  }

  /** Usernames of those who are in the room, by what its clients know. */
  present(conversationId: string): string[] {
    const staying = this.rooms.filter((line) => line.record.conversationId === conversationId && line.isOpen);
    const visiting = this.visitors.filter((visitor) => visitor.conversationId === conversationId && visitor.isInside);
    return [...new Set([...staying, ...visiting].map(({ person }) => person))].sort();
  }

  async open(opener: Opener, people: number, visitors: number): Promise<void> {
    const names = numbered("person", people);
    const guests = numbered("visitor", visitors);
    for (const name of [...names, ...guests]) await this.#request(name, "GET", "/api/me");
    for (let first = 0; first + 1 < names.length; first += 2) await this.#openDirect(names.slice(first, first + 2));
    await this.#openGroup(names, guests);
    await this.#openGroup(names.slice(0, Math.ceil(people / 2)), []);
    for (const [index, conversation] of this.conversations.entries()) {
      for (const [place, person] of conversation.people.entries()) {
        const acknowledge = this.ledger.acknowledge.bind(this.ledger);
        this.rooms.push(await opener.room(person, this.#place(conversation, person), index + place, acknowledge));
      }
      const [first = "", second = ""] = conversation.people;
      this.badges.push(await opener.badge(second, this.#place(conversation, second), index));
      this.badges.push(await opener.badge(first, this.#place(conversation, first), index + 1));
    }
    for (const [index, person] of names.entries()) this.badges.push(await opener.badge(person, null, index + 1));
    const [first = "", second = ""] = names;
    this.events.push(await opener.events(first, "/chat", this.#beginnings(first), 1));
    this.events.push(await opener.events(second, "/rooms", this.#beginnings(second), 0));
    await vi.waitFor(() => expect(this.badges.filter(({ record }) => record.count === null)).toEqual([]), 10_000);
    const meeting = this.conversations.find((conversation) => conversation.people.length === names.length);
    for (const guest of guests) this.visitors.push(new Visitor(this.#cluster, guest, meeting?.id ?? ""));
    this.ledger.open();
    this.#beat(this.#rate);
  }

  /** A first message makes a direct conversation, and says its id. */
  async #openDirect(people: readonly string[]): Promise<void> {
    const [sender = "", other = ""] = people;
    const message = this.ledger.write(sender, "");
    const body = { message: message.text, client_id: message.clientId };
    const stored = await this.#request(sender, "POST", `/api/rooms/${other}/messages`, body);
    this.ledger.messages.set(message.clientId, { ...message, conversationId: stored.conversation_id });
    this.ledger.acknowledge(message.clientId, stored);
    this.conversations.push({ id: stored.conversation_id, people });
  }

  async #openGroup(people: readonly string[], guests: readonly string[]): Promise<void> {
    const [creator = ""] = people;
    const group = { type: "group", name: "together", members: [...people, ...guests] };
    const { id } = await this.#request(creator, "POST", "/api/conversations", group);
    this.conversations.push({ id, people });
  }

  /** People in direct conversations open them by each other's names. */
  #place({ id, people }: Conversation, person: string) {
    const isDirect = people.length === 2;
    return { conversationId: id, name: isDirect ? (people.find((other) => other !== person) ?? id) : id };
  }

  #beginnings(person: string): Record<string, number> {
    const own = this.conversations.filter(({ people }) => people.includes(person));
    return Object.fromEntries(own.map(({ id }) => [id, 0]));
  }

  #beat(rate: number): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#speak(), 1_000 / rate);
  }

  #speak(): void {
    const line = this.rooms[this.#turn % this.rooms.length];
    this.#turn += 1;
    if (line === undefined || this.ledger.unanswered > UNANSWERED_LIMIT) return;
    const message = this.ledger.write(line.person, line.record.conversationId);
    line.say(message.clientId, message.text);
    if (this.#turn % READ_EVERY === 0) line.read();
    if (this.#turn % EDIT_EVERY !== 0) return;
    const own = line.record.changes.findLast(
      ({ text }) => text?.startsWith(`${line.person}:`) && text.endsWith("said"),
    );
    if (own?.text) line.edit(own.messageId, own.text.replace("said", "edited"));
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at as a client in plain JavaScript does
  async #request(person: string, method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(`${this.#cluster.node(0).url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokenFor(person)}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    expect(response.status, JSON.stringify(answer)).toBeLessThan(300);
    return answer;
  }
}

/** Resolves when everybody is connected and speaking. To be called inside a test, at whose end all is closed. */
export async function startTraffic(cluster: Cluster, options: TrafficOptions = {}): Promise<Traffic> {
  const { lines: kind = "raw", people = 6, rate = 30, visitors = 2 } = options;
  const traffic = new Traffic(cluster, { kind, rate });
  onTestFinished(() => traffic.close());
  await traffic.open(kind === "raw" ? rawLines(cluster) : libraryLines(cluster), people, visitors);
  return traffic;
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}
