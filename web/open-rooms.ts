/** The room in view, and those behind it whose messages still wait to be sent. */
import { batch, computed, effect, type Signal, signal } from "@preact/signals";
import { OpenRoom } from "./open-room.ts";
import type { Workspace } from "./workspace.ts";

export class OpenRooms {
  readonly current = signal<OpenRoom | null>(null);
  /** Messages of all rooms. */
  readonly waiting = computed(() =>
    this.#open.value.reduce((total, { outbox }) => total + outbox.waiting.value.length, 0),
  );
  readonly #open = signal<readonly OpenRoom[]>([]);
  readonly #drafts = new Map<string, Signal<string>>();
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    effect(() => {
      for (const room of this.#open.value) if (room !== this.current.value && room.isSettled.value) room.close();
    });
  }

  enter(name: string | null): void {
    const before = this.current.peek();
    if (before?.name === name) return;
    batch(() => {
      this.current.value = name === null ? null : (this.#find(name) ?? this.#make(name));
      before?.leave();
    });
  }

  retry(): void {
    for (const { connection } of this.#open.peek()) connection.retry();
  }

  #find(name: string): OpenRoom | undefined {
    return this.#open.peek().find((room) => room.name === name);
  }

  #make(name: string): OpenRoom {
    const room = new OpenRoom(name, this.#workspace, this.#draft(name));
    this.#open.value = [...this.#open.peek(), room];
    void room.connection.closed.then(() => {
      // Who is removed from a group hears nothing more of it anywhere: it leaves the list when that is read again.
      this.#workspace.list.refresh();
      this.#open.value = this.#open.peek().filter((other) => other !== room);
    });
    return room;
  }

  #draft(name: string): Signal<string> {
    const draft = this.#drafts.get(name) ?? signal("");
    this.#drafts.set(name, draft);
    return draft;
  }
}
