/** What traffic needs of a connection, whichever way it is made. */
import type { BadgeRecord, EventRecord, RoomRecord } from "./records.ts";

export interface Line {
  readonly person: string;
  /** There, and caught up. */
  readonly isOpen: boolean;
  /** How often its socket was lost. */
  readonly interruptions: number;
  /** Gone for good. */
  close(): void;
}

/** A `/ws/<room>/` socket. What it sends is sent again under its client id until it is acknowledged. */
export interface RoomLine extends Line {
  readonly record: RoomRecord;
  say(clientId: string, text: string): void;
  edit(messageId: string, text: string): void;
  read(): void;
}

export interface EventLine extends Line {
  readonly record: EventRecord;
}

export interface BadgeLine extends Line {
  readonly record: BadgeRecord;
  /** Whose unread messages it counts; null: of all conversations. */
  readonly conversationId: string | null;
}

/** A conversation as one of its members opens it. */
export interface Place {
  readonly conversationId: string;
  /** The `<room>` of the path. */
  readonly name: string;
}

/** Makes the lines of one person. `turn` says which node, where that is not left to the entrance. */
export interface Opener {
  room(person: string, place: Place, turn: number, acknowledge: Acknowledge): Promise<RoomLine>;
  badge(person: string, place: Place | null, turn: number): Promise<BadgeLine>;
  /** `seqs`: where each conversation of the person stands. */
  events(person: string, path: "/chat" | "/rooms", seqs: Record<string, number>, turn: number): Promise<EventLine>;
}

export type Acknowledge = (clientId: string, stored: { readonly id: string; readonly seq: number }) => void;
