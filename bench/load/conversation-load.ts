/** Messages in rooms: what the workloads of rooms, of pairs and of one conversation share. */
import { type Account, createGroup, introduce } from "./accounts.ts";
import { BadgeSocket } from "./badge-socket.ts";
import { concurrently } from "./concurrently.ts";
import { Conversation } from "./conversation.ts";
import { CONCURRENT_OPENINGS, type Load, type Setting } from "./load.ts";
import { userName } from "./names.ts";
import { RoomSocket } from "./room-socket.ts";
import { signToken } from "./tokens.ts";

/** Who is in a conversation, by the number of the user, and by what name each opens it. */
export interface Room {
  readonly users: readonly number[];
  nameFor(user: number): string;
}

export interface Layout {
  readonly rooms: readonly Room[];
  /** The id of the group to be made of all users; null for none. */
  readonly group: string | null;
  readonly badges: boolean;
}

interface Badge {
  readonly socket: BadgeSocket;
  readonly conversation: Conversation;
  /** The same user's socket in it: what is sent there does not count. */
  readonly own: RoomSocket;
}

export abstract class ConversationLoad implements Load {
  readonly latencies = [];
  protected readonly conversations: readonly Conversation[];
  protected isStopped = false;
  readonly #setting: Setting;
  readonly #layout: Layout;
  readonly #badges: readonly Badge[];
  /** Of each room socket and each badge socket, in the order of opening. */
  readonly #openings: (() => Promise<void>)[] = [];
  readonly #tokens = new Map<number, string>();

  constructor(setting: Setting, layout: Layout) {
    this.#setting = setting;
    this.#layout = layout;
    this.conversations = layout.rooms.map((room) => this.#conversation(room));
    this.#badges = layout.badges ? layout.rooms.flatMap((room, index) => this.#badgesOf(room, index)) : [];
  }

  abstract begin(): void;
  /** A message of this socket's came back. */
  protected abstract echoed(socket: RoomSocket): void;

  async open(): Promise<void> {
    const { plan, dialect } = this.#setting;
    const users = [...new Set(this.#layout.rooms.flatMap((room) => room.users))];
    const accounts: Account[] = [];
    for (const user of users) {
      const name = userName(plan.prefix, user);
      const token = await signToken(plan.secret, name);
      this.#tokens.set(user, token);
      accounts.push({ user: name, token });
    }
    const [server = ""] = plan.servers;
    if (dialect.hasAccounts) {
      await introduce(server, accounts);
      if (this.#layout.group !== null) await createGroup(server, this.#layout.group, accounts);
    }
    await concurrently(this.#openings.length, CONCURRENT_OPENINGS, async (index) => this.#openings[index]?.());
  }

  stop(): void {
    this.isStopped = true;
  }

  get outstanding(): number {
    const messages = this.conversations.reduce((sum, conversation) => sum + conversation.outstanding, 0);
    return this.#badges.reduce((sum, badge) => sum + Math.max(0, expectedOf(badge) - badge.socket.counted), messages);
  }

  check(): void {
    const { faults } = this.#setting;
    for (const conversation of this.conversations) conversation.check(faults);
    for (const badge of this.#badges) {
      const { name, counted } = badge.socket;
      const expected = expectedOf(badge);
      if (counted !== expected) faults.add(`${name}: counted ${counted} of ${expected} messages`);
    }
  }

  async close(): Promise<void> {
    const sockets = [
      ...this.conversations.flatMap(({ sockets }) => sockets),
      ...this.#badges.map(({ socket }) => socket),
    ];
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  #conversation(room: Room): Conversation {
    const { plan, dialect, targets } = this.#setting;
    const sockets = room.users.map((user) => {
      const name = room.nameFor(user);
      const onEcho = (socket: RoomSocket) => this.echoed(socket);
      const socket = new RoomSocket(`${userName(plan.prefix, user)} in ${name}`, name, user, this.#setting, onEcho);
      const target = targets.next();
      this.#openings.push(() => socket.open(target, dialect.room(name, this.#tokenOf(user))));
      return socket;
    });
    return new Conversation(sockets);
  }

  #badgesOf(room: Room, index: number): Badge[] {
    const { plan, dialect, targets } = this.#setting;
    const conversation = this.conversations[index];
    return room.users.flatMap((user, position) => {
      const own = conversation?.sockets[position];
      if (conversation === undefined || own === undefined) return [];
      const socket = new BadgeSocket(`badge of ${userName(plan.prefix, user)}`, this.#setting);
      const target = targets.next();
      this.#openings.push(() => socket.open(target, dialect.badge(this.#tokenOf(user))));
      return [{ socket, conversation, own }];
    });
  }

  #tokenOf(user: number): string {
    const token = this.#tokens.get(user);
    if (token === undefined) throw new Error(`user ${user} has no token`);
    return token;
  }
}

/** Nobody reads: every message of the others stays unread. */
function expectedOf({ conversation, own }: Badge): number {
  return conversation.sent - own.sent;
}
