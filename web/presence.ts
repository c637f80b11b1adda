/** Who is in the room, and who is typing there. */
import { signal } from "@preact/signals";
import type { Room, RoomServerFrame } from "../client/index.ts";
import { guarded } from "./guarded.ts";

/** How long somebody is believed to be typing without word of it, in ms. */
const TYPING_EXPIRES = 6_000;

export class Presence {
  /** Usernames. */
  readonly online = signal<ReadonlySet<string>>(new Set());
  /** Usernames, of others. */
  readonly typing = signal<ReadonlySet<string>>(new Set());
  readonly #expiries = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(connection: Room) {
    connection.onFrame(guarded((frame) => this.#hear(frame)));
    connection.onState(({ name }) => {
      if (name === "open") return;
      this.online.value = new Set();
      for (const user of this.typing.peek()) this.#stopped(user);
    });
  }

  #hear(frame: RoomServerFrame): void {
    switch (frame.type) {
      case "online_user_list":
        this.online.value = new Set(frame.users);
        return;
      case "user_join":
        this.online.value = new Set([...this.online.peek(), frame.user]);
        return;
      case "user_leave":
        this.online.value = without(this.online.peek(), frame.user);
        this.#stopped(frame.user);
        return;
      case "user_typing":
        if (frame.is_typing) this.#started(frame.user);
        else this.#stopped(frame.user);
    }
  }

  #started(user: string): void {
    clearTimeout(this.#expiries.get(user));
    this.#expiries.set(
      user,
      setTimeout(() => this.#stopped(user), TYPING_EXPIRES),
    );
    if (!this.typing.peek().has(user)) this.typing.value = new Set([...this.typing.peek(), user]);
  }

  #stopped(user: string): void {
    clearTimeout(this.#expiries.get(user));
    this.#expiries.delete(user);
    if (this.typing.peek().has(user)) this.typing.value = without(this.typing.peek(), user);
  }
}

function without<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  return new Set([...set].filter((other) => other !== item));
}
