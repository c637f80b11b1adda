/** What a socket heard, in the order in which it arrived. */

export interface HeardChange {
  readonly conversationId: string;
  readonly seq: number;
  readonly messageId: string;
  /** Null where the frame says none. */
  readonly text: string | null;
  /** ISO 8601, of a creation; null for any other change. */
  readonly date: string | null;
}

// biome-ignore lint/suspicious/noExplicitAny: frames are looked at as a client in plain JavaScript does
type Heard = any;

/** A room socket's: its changes, and who is there by what it was told. */
export class RoomRecord {
  readonly conversationId: string;
  readonly changes: HeardChange[] = [];
  /** The list, plus the joins, minus the leaves. */
  readonly present = new Set<string>();
  /** Every leave that was told, by username. */
  readonly leaves: string[] = [];
  /** How often something was refused since storage did not answer. */
  unavailable = 0;

  constructor(conversationId: string) {
    this.conversationId = conversationId;
  }

  hear(frame: Heard): void {
    switch (frame.type) {
      case "chat_message":
        if (frame.repeated === true) return;
        this.#keep(frame, { text: frame.message, date: frame.date_added });
        return;
      case "message_edited":
        this.#keep(frame, { text: frame.message, date: null });
        return;
      case "online_user_list":
        this.present.clear();
        for (const user of frame.users) this.present.add(user);
        return;
      case "user_join":
        this.present.add(frame.user);
        return;
      case "user_leave":
        this.present.delete(frame.user);
        this.leaves.push(frame.user);
        return;
      case "error":
        if (frame.code === "unavailable") this.unavailable += 1;
        return;
    }
  }

  #keep({ seq, id }: { seq: number; id: string }, { text, date }: { text: string; date: string | null }): void {
    this.changes.push({ conversationId: this.conversationId, seq, messageId: id, text, date });
  }
}

/** A `/chat` or `/rooms` socket's: changes of all conversations of its user. */
export class EventRecord {
  readonly changes: HeardChange[] = [];

  hear({ event, data }: Heard): void {
    switch (event) {
      case "chat:message_receive":
        this.#keep(data.chatId, data.seq, data.id, data.content, data.createdAt);
        return;
      case "chat:message_edited":
        this.#keep(data.chatId, data.seq, data.messageId, data.content, null);
        return;
      case "message":
        this.#keep(data.room_id, data.seq, data._id, data.message, data.dateCreated);
        return;
      case "edited":
        this.#keep(data.room_id, data.seq, data.message_id, data.message, null);
        return;
    }
  }

  #keep(conversationId: string, seq: number, messageId: string, text: string, date: string | null): void {
    this.changes.push({ conversationId, seq, messageId, text, date });
  }
}

/** A badge's: the number that it shows. */
export class BadgeRecord {
  /** Null before the first. */
  count: number | null = null;

  hear(frame: Heard): void {
    if (typeof frame.unread_count === "number") this.count = frame.unread_count;
  }
}
