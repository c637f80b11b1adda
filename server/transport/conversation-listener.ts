import type { Delivery } from "./delivery.ts";

export interface ConversationListener {
  /** Who listens: they must be a member. */
  readonly userId: string;
  /** The version of the membership by which they are known to be one. */
  readonly membership: number;
  /** Called in order. Changes come in the order of `seq`; signals as they happen. */
  hear(delivery: Delivery): void;
  /** No longer a member. Nothing more is heard. */
  expelled(): void;
  /** Read marks may have gone unheard: what rests on them is to be read again. */
  missedReads(): void;
}

export interface FeedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
