/** One open conversation: its socket, and all that the page keeps of it. */
import { computed, type Signal, signal } from "@preact/signals";
import { connectRoom, ParleyError, type Room } from "../client/index.ts";
import { findLastMessage } from "./blocks.ts";
import { Composer } from "./composer.ts";
import { stateSignal } from "./connection-state.ts";
import { Details } from "./details.ts";
import { History } from "./history.ts";
import type { TimelineMessage } from "./message.ts";
import { Outbox } from "./outbox.ts";
import { OwnTyping } from "./own-typing.ts";
import { Pins } from "./pins.ts";
import { Presence } from "./presence.ts";
import { Reading } from "./reading.ts";
import { problemText } from "./session.ts";
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
  /** Nothing of it would be lost with its socket. */
  readonly isSettled = computed(() => this.outbox.waiting.value.length === 0 && this.outbox.failed.value.length === 0);
  readonly #workspace: Workspace;
  readonly #closing = new AbortController();

  constructor(name: string, workspace: Workspace, draft: Signal<string>) {
    const { api, people, live, list, wire, connectOptions } = workspace;
    const signal = AbortSignal.any([this.#closing.signal, workspace.signal]);
    const onProblem = (text: string) => {
      this.problem.value = text;
    };
    this.name = name;
    this.#workspace = workspace;
    this.connection = connectRoom(name, { ...connectOptions, signal, onWire: wire.recorder("room") });
    this.state = stateSignal(this.connection);
    this.history = new History(api, name, this.connection, people);
    this.presence = new Presence(this.connection);
    this.reading = new Reading(
      { history: this.history, people, signal, onRefused: (error) => this.#refused(error) },
      this.connection,
    );
    this.outbox = new Outbox(this.connection);
    this.details = new Details(name, { api, live, list, people, history: this.history, signal, onProblem });
    this.pins = new Pins({ api, room: name, signal, onProblem }, this.connection);
    this.typing = new OwnTyping(this.connection);
    this.composer = new Composer(draft, {
      send: (message) => {
        this.typing.stopped();
        this.outbox.send(message);
        this.wish.value = { name: "newest" };
      },
      edit: (id, text) => this.#request(this.connection.edit(id, text)),
      // What is on its way cannot be edited yet, and what was written before it is not meant.
      lastOwnMessage: () =>
        this.outbox.waiting.value.length > 0
          ? null
          : findLastMessage(this.history.timeline.value.blocks, (message) => this.canEdit(message)),
    });
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

  pin(message: TimelineMessage, isPinned: boolean): void {
    this.#request(this.connection.pin(message.id, isPinned));
  }

  delete(message: TimelineMessage): void {
    this.#request(this.connection.delete(message.id));
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

  #request(request: Promise<unknown>): void {
    request.catch((error) => this.#refused(error));
  }

  #refused(error: unknown): void {
    // That the room is closed is to be seen anyway.
    if (error instanceof ParleyError && error.code === "closed") return;
    this.problem.value = problemText(error);
  }
}
