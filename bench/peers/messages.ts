/** What every peer does with a message, whatever it speaks and wherever it stores. */
import { randomUUID } from "node:crypto";
import type { Room, User } from "./directory.ts";

/** What its sender says of a message. */
export interface Draft {
  readonly room: Room;
  /** What the sender calls the room. */
  readonly roomName: string;
  readonly sender: User;
  readonly text: string;
  readonly clientId: string | undefined;
}

export interface Message extends Draft {
  readonly id: string;
  /** 1, 2, 3, … in its room. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Storage {
  /** Resolves when the message has been committed. */
  store(message: Message): Promise<void>;
  close(): Promise<void>;
}

export interface Wire {
  /** To every socket in the message's room, the sender's too. */
  deliver(message: Message): void;
  /** To every badge socket of the user, whose count of unread messages has just grown by one. */
  notify(user: User): void;
}

/**
 * Messages of one room are stored one after the other, so that they are echoed in the order they came in; those of
 * different rooms at the same time. `storage` null: nothing is stored, and a message goes out in the turn it came in.
 *
 * A message that cannot be stored ends the process, by a rejection that nobody handles: the run is void.
 */
export function createPost(storage: Storage | null, wire: Wire): (draft: Draft) => void {
  const announce = (message: Message) => {
    wire.deliver(message);
    for (const member of message.room.members) {
      if (member === message.sender) continue;
      member.unread += 1;
      wire.notify(member);
    }
  };
  if (storage === null) return (draft) => announce(numbered(draft));

  const storeAndAnnounce = async (message: Message) => {
    await storage.store(message);
    announce(message);
  };
  return (draft) => {
    const message = numbered(draft);
    const { room } = draft;
    room.stored = room.stored.then(() => storeAndAnnounce(message));
  };
}

function numbered({ room, roomName, sender, text, clientId }: Draft): Message {
  room.seq += 1;
  const createdAt = new Date().toISOString();
  return { id: randomUUID(), seq: room.seq, createdAt, room, roomName, sender, text, clientId };
}
