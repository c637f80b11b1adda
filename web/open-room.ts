/** One open conversation: its socket, and all that the page keeps of it. */
import { computed, effect, signal } from "@preact/signals";
import { type ChatMessage, connectRoom, ParleyError, type Room } from "../client/index.ts";
import { findLastMessage } from "./blocks.ts";
import { Composer, EMPTY_DRAFT, isEmptyDraft } from "./composer.ts";
import { stateSignal } from "./connection-state.ts";
import { Details } from "./details.ts";
import { guarded } from "./guarded.ts";
import { History } from "./history.ts";
import { DRAFT } from "./kept-work.ts";
import type { TimelineMessage } from "./message.ts";
import { Outbox, type OutboxEntry } from "./outbox.ts";
import { OwnTyping } from "./own-typing.ts";
import { Pins } from "./pins.ts";
import { Presence } from "./presence.ts";
import { problemText } from "./problems.ts";
import { Reading } from "./reading.ts";
import type { Workspace } from "./workspace.ts";

export type LogWish = { readonly name: "newest" } | { readonly name: "message"; readonly id: string };

export class OpenRoom {
  /** What it was opened by: a username or the id of a conversation. */
  readonly name: string;
  readonly connection: Room;
  readonly state;
  readonly history: History;
  readonly presence: Presence;
  readonly reading: Reading;
  readonly outbox: Outbox;
  readonly details: Details;
  readonly pins: Pins;
  readonly composer: Composer;
  readonly typing: OwnTyping;
  /** What was refused last, in words; null when it was read. */
  readonly problem = signal<string | null>(null);
  /** Where the log is to go next. */
  readonly wish = signal<LogWish | null>(null);
  /** The message that is asked about before it is deleted. */
  readonly doomed = signal<TimelineMessage | null>(null);
  /** Nothing waits for its socket. */
  readonly isSettled = computed(() => this.outbox.waiting.value.length === 0);
  readonly #workspace: Workspace;
  readonly #closing = new AbortController();

  constructor(name: string, workspace: Workspace, onFailed: (entry: OutboxEntry) => void) {
    const { api, people, trust, live, list, wire, work, connectOptions } = workspace;
    const signal = AbortSignal.any([this.#closing.signal, workspace.signal]);
    const onProblem = (text: string) => {
      this.problem.value = text;
    };
    this.name = name;
    this.#workspace = workspace;
    this.connection = connectRoom(name, { ...connectOptions, signal, onWire: wire.recorder("room") });
    this.state = stateSignal(this.connection);
    this.history = new History({ api, people, trust, signal }, name, this.connection);
    this.presence = new Presence(this.connection);
    this.reading = new Reading(
      {
        history: this.history,
        people,
        signal,
        onRead: (seq) => {
          const id = this.details.id.peek();
          if (id !== null) list.hasRead(id, seq);
        },
        onRefused: (error) => this.#refused(error),
      },
      this.connection,
    );
    this.details = new Details(name, { api, live, list, people, history: this.history, signal, onProblem });
    this.outbox = new Outbox(this.connection, {
      room: name,
      work,
      roomName: () => this.details.name.peek(),
      onFailed,
    });
    this.pins = new Pins({ api, room: name, signal, onProblem }, this.connection);
    this.typing = new OwnTyping(this.connection);
    this.composer = new Composer(work.kept(DRAFT + name, EMPTY_DRAFT, isEmptyDraft), {
      send: (message) => {
        this.typing.stopped();
        this.outbox.send(message);
        this.wish.value = { name: "newest" };
      },
      edit: (message, text) => this.outbox.edit(message, text),
      // What is on its way cannot be edited yet, and what was written before it is not meant.
      lastOwnMessage: () =>
        this.outbox.messages.value.length > 0
          ? null
          : findLastMessage(this.history.timeline.value.blocks, (message) => this.canEdit(message)),
    });
    const learn = ({ id, other }: { id: string | null; other: string | null }) =>
      trust.learnFromConversation(this.history.timeline.peek().blocks, { id, other });
    const stop = effect(() => {
      const conversation = { id: this.details.id.value, other: this.details.other.value };
      if (this.history.state.value.name !== "loading") learn(conversation);
    });
    signal.addEventListener("abort", stop);
    const sent = ({ from_user }: ChatMessage) => {
      if (people.isMe(from_user.username)) learn({ id: this.details.id.peek(), other: this.details.other.peek() });
    };
    this.connection.on("chat_message", guarded(sent));
    this.connection.on("error", ({ message }) => onProblem(problemText(new Error(message))));
  }

  canEdit({ sender, deletedBy }: TimelineMessage): boolean {
    return deletedBy === null && this.#workspace.people.isMe(sender);
  }

  canDelete(message: TimelineMessage): boolean {
    const isCreator = this.details.group.value?.creator_id === this.#workspace.people.me.id;
    return message.deletedBy === null && (isCreator || this.canEdit(message));
  }

  /** Shows that message, wherever in the history it lies. */
  async jumpTo(id: string): Promise<void> {
    if (await this.history.reveal(id)) this.wish.value = { name: "message", id };
    else this.problem.value = "That message lies too far back.";
  }

  /** Out of view. */
  leave(): void {
    this.typing.stopped();
    this.reading.isAtNewest.value = false;
    this.wish.value = null;
  }

  close(): void {
    this.#closing.abort();
  }

  #refused(error: unknown): void {
    // That the room is closed is to be seen anyway.
    if (error instanceof ParleyError && error.code === "closed") return;
    this.problem.value = problemText(error);
  }
}
