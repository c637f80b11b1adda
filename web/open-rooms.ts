/** The room in view, and those behind it in which something still waits to be done. */
import { batch, computed, effect, signal } from "@preact/signals";
import { OUTBOX } from "./kept-work.ts";
import { OpenRoom } from "./open-room.ts";
import { keptEntries, type OutboxEntry } from "./outbox.ts";
import { canBeOpened } from "./room-name.ts";
import type { Workspace } from "./workspace.ts";

export class OpenRooms {
  readonly current = signal<OpenRoom | null>(null);
  /** What waits in all rooms: messages, and changes of messages. */
  readonly waiting = computed(() => {
    const all = this.#open.value.flatMap(({ outbox }) => outbox.waiting.value);
    const messages = all.filter(({ command }) => command.kind === "send").length;
    return { messages, changes: all.length - messages };
  });
  /** A name that no room can be opened by, though somebody tried to; null for none. */
  readonly unopened = signal<string | null>(null);
  /** What was refused in rooms that are not in view: the last of each. */
  readonly refused = signal<readonly OutboxEntry[]>([]);
  readonly #open = signal<readonly OpenRoom[]>([]);
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.#restore();
    const stop = effect(() => {
      for (const room of this.#open.value) if (room !== this.current.value && room.isSettled.value) room.close();
    });
    workspace.signal.addEventListener("abort", stop);
    workspace.work.onRemoved((name) => {
      if (!name.startsWith(OUTBOX)) return;
      for (const { outbox } of this.#open.peek()) outbox.forget(name.slice(OUTBOX.length));
    });
  }

  enter(name: string | null): void {
    const before = this.current.peek();
    if (before?.name === name) return;
    if (name !== null && !canBeOpened(name)) {
      this.unopened.value = name;
      this.enter(null);
      return;
    }
    batch(() => {
      this.current.value = name === null ? null : (this.#find(name) ?? this.#make(name));
      before?.leave();
      this.dismiss(name);
    });
  }

  /** The room in view anew, after it was closed for good. */
  reopen(): void {
    const before = this.current.peek();
    if (before === null) return;
    before.leave();
    before.close();
    this.#open.value = this.#open.peek().filter((room) => room !== before);
    this.current.value = this.#make(before.name);
  }

  /** What was refused there is seen in the room, or does not matter. */
  dismiss(room: string | null): void {
    this.refused.value = this.refused.peek().filter((entry) => entry.room !== room);
  }

  retry(): void {
    for (const { connection } of this.#open.peek()) connection.retry();
  }

  /** What was asked for before the page was opened goes on. */
  #restore(): void {
    const entries = keptEntries(this.#workspace.work);
    const waiting = new Set(entries.filter(({ failure }) => failure === null).map(({ room }) => room));
    for (const name of waiting) this.#make(name).leave();
    for (const entry of entries) if (entry.failure !== null) this.#tell(entry);
  }

  #find(name: string): OpenRoom | undefined {
    return this.#open.peek().find((room) => room.name === name);
  }

  #make(name: string): OpenRoom {
    const room = new OpenRoom(name, this.#workspace, (entry) => this.#tell(entry));
    this.#open.value = [...this.#open.peek(), room];
    void room.connection.closed.then(({ code }) => {
      // Who is removed from a group hears nothing more of it anywhere: it leaves the list when that is read again.
      if (code !== 1000) this.#workspace.list.refresh();
      this.#open.value = this.#open.peek().filter((other) => other !== room);
    });
    return room;
  }

  #tell(entry: OutboxEntry): void {
    if (entry.room === this.current.peek()?.name) return;
    const others = this.refused.peek().filter(({ room }) => room !== entry.room);
    this.refused.value = [...others, entry];
  }
}
