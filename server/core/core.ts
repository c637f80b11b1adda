/** The conversation core, put together: commands on one side, a store and a sink of events on the other. */
import { Conversations } from "./conversations.ts";
import { Directory, type DirectoryScope } from "./directory.ts";
import type { EventSink } from "./events.ts";
import { Groups } from "./groups.ts";
import { judge, Messages } from "./messages.ts";
import type { Profile } from "./model.ts";
import { RateLimit } from "./rate.ts";
import { Reading } from "./reading.ts";
import type { Store } from "./store.ts";
import { Users } from "./users.ts";
import { Writer } from "./writer.ts";

export interface CoreLimits {
  /** Messages, their changes and changes of groups a second for a user, and how many at once. */
  readonly sendRate: number;
  readonly sendBurst: number;
  /** Units of work a second for a user, and how many at once. */
  readonly commandRate: number;
  readonly commandBurst: number;
  /** Searches for users a second for a user, and how many at once. */
  readonly searchRate: number;
  readonly searchBurst: number;
  readonly userDirectory: DirectoryScope;
  readonly maxGroupMembers: number;
  readonly maxMembersPerRequest: number;
  readonly maxConversationsPerUser: number;
  /** Made by one user. */
  readonly groupsPerDay: number;
  /** Begun by one user, a minute and at once. */
  readonly newDirectsPerMinute: number;
  readonly largeRoomMembers: number;
  readonly resumeLimit: number;
}

export interface CoreOptions {
  readonly store: Store;
  readonly sink: EventSink;
  readonly limits: CoreLimits;
  readonly newId: () => string;
  readonly isUsername: (text: string) => boolean;
  /** Somebody who was known is stored with another profile now. */
  readonly onProfileChanged?: (profile: Profile) => void;
}

export interface Core {
  readonly users: Users;
  readonly directory: Directory;
  readonly conversations: Conversations;
  readonly groups: Groups;
  readonly messages: Messages;
  readonly reading: Reading;
  readonly writer: Writer;
  /** For each user: everything that their sockets and requests ask for, by `costs.ts`. */
  readonly commandRate: RateLimit;
}

/** Typing notices a second for a user; more are dropped in silence. */
const TYPING_RATE = 5;

export function createCore({ store, sink, limits, newId, isUsername, onProfileChanged }: CoreOptions): Core {
  const { largeRoomMembers, resumeLimit } = limits;
  const sendRate = new RateLimit(limits.sendRate, limits.sendBurst);
  const writer = new Writer({ store, sink, judge, largeRoomMembers });
  return {
    users: new Users(store, isUsername, onProfileChanged),
    directory: new Directory({
      store,
      scope: limits.userDirectory,
      rate: new RateLimit(limits.searchRate, limits.searchBurst),
    }),
    conversations: new Conversations(store, sink, {
      newDirectRate: new RateLimit(limits.newDirectsPerMinute / 60, limits.newDirectsPerMinute),
      perUser: limits.maxConversationsPerUser,
    }),
    groups: new Groups({
      store,
      sink,
      maxMembers: limits.maxGroupMembers,
      maxMembersPerRequest: limits.maxMembersPerRequest,
      conversationsPerUser: limits.maxConversationsPerUser,
      groupsPerDay: limits.groupsPerDay,
      sendRate,
      memberRate: new RateLimit(limits.sendRate, limits.sendBurst),
    }),
    messages: new Messages({
      store,
      writer,
      sink,
      newId,
      sendRate,
      typingRate: new RateLimit(TYPING_RATE, TYPING_RATE),
      largeRoomMembers,
      resumeLimit,
    }),
    reading: new Reading({ store, writer }),
    writer,
    commandRate: new RateLimit(limits.commandRate, limits.commandBurst),
  };
}
