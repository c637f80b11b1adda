/** A room on scripted sockets: the frames of its server, and the way to its being live. */
import { expect, vi } from "vitest";
import { type ChatMessage, connectRoom, type Room, type RoomOptions } from "../../client/index.ts";
import { ScriptedNetwork, ScriptedSocket, settled } from "./scripted-socket.ts";

export function message(seq: number, fields: Partial<ChatMessage> = {}): ChatMessage {
  return {
    type: "chat_message",
    id: `m${seq}`,
    seq,
    message: `message ${seq}`,
    multimedia_url: null,
    date_added: "2030-01-01T12:00:00.000Z",
    from_user: { username: "bob" },
    room: "bob",
    ...fields,
  };
}

/** The echo of what the library has just sent. */
export function echoOf(frame: Record<string, unknown> | undefined, seq: number, fields: Partial<ChatMessage> = {}) {
  return message(seq, { message: String(frame?.message), client_id: String(frame?.client_id), ...fields });
}

export const resumed = (seq: number) => ({ type: "resumed", seq });

export class ScriptedRoom {
  readonly network = new ScriptedNetwork(ScriptedSocket);
  readonly room: Room;

  constructor(options: Partial<RoomOptions> = {}) {
    this.room = connectRoom("bob", { ...this.network.options, ...options });
  }

  get socket(): ScriptedSocket {
    return this.network.socket;
  }

  /** What was sent on the present socket, and what of it the requests were about. */
  get sent(): Record<string, unknown>[] {
    return this.socket.sent;
  }

  /** Opens the present socket, and the room stands at `seq`. */
  async open(seq = 0): Promise<this> {
    await settled();
    this.socket.open();
    this.socket.deliver({ type: "online_user_list", users: [] }, resumed(seq));
    return this;
  }

  /** The line breaks, and the library makes its next attempt. */
  async breakLine(code = 1006): Promise<void> {
    this.socket.end(code);
    await settled();
    await this.comeBack();
  }

  /** Lets time pass until the next attempt. */
  async comeBack(): Promise<void> {
    const { state } = this.room;
    if (state.name === "waiting") await vi.advanceTimersByTimeAsync(Math.ceil(state.nextAttemptAt - Date.now()));
  }
}

/** What was asked to be sent as messages, on the present socket. */
export function textsOf({ sent }: ScriptedRoom): unknown[] {
  return sent.map(({ message: text }) => text);
}

/** Closes the room, and sees to it that what is still asked is given up as `closed`. */
export async function closing({ room }: ScriptedRoom, ...requests: Promise<unknown>[]): Promise<void> {
  room.close();
  for (const request of requests) await expect(request).rejects.toMatchObject({ code: "closed" });
}
