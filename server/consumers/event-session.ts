/**
 * A dialect of events, apart from what carries them. A session handles what one client emits and emits what it hears; the
 * envelope over WebSocket (`envelope-consumer.ts`) is one carrier, and a session does not know which it has.
 */
import type { LargeRead } from "../core/large-reads.ts";
import type { CloseName } from "../protocol/close-codes.ts";
import type { Delivery } from "../transport/delivery.ts";
import type { ConsumerServices, Handshake } from "./consumer.ts";

export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

/** What carries a session's events to its client. */
export interface EventCarrier {
  emit(event: ServerEvent): void;
  /** Encoded once for all sockets of this carrier that deliver it under the same `key`; null: there is nothing to say. */
  deliver(delivery: Delivery, key: string, encode: () => ServerEvent | null): void;
  /** Answers a `ping`: the same for everybody, so encoded once for all sockets of this carrier. */
  pong(): void;
  /** A refusal that answers no event of the client's. */
  emitError(code: "invalid_frame" | "forbidden", message: string): void;
  /** One event of many, as the client takes them: resolves when there is room for the next; false: the client is gone. */
  emitInTurn(event: ServerEvent): Promise<boolean>;
  /** A turn in the line for what is large, given back with the client at the latest. @throws Refusal `rate_limited` */
  takeLargeRead(): Promise<LargeRead>;
  close(name: CloseName): void;
}

/**
 * What became of a client's event. By the time there is an `Outcome`, the event's place in the order is settled and the
 * next one may be handled; `acknowledgement` resolves with the data of the acknowledgement when it is done.
 */
export interface Outcome {
  readonly acknowledgement: Promise<unknown>;
}

export interface EventSession {
  /** Acquires what the path needs; events that the client emits meanwhile wait. */
  open(): Promise<void>;
  /** Throws or rejects with a Refusal; so may the acknowledgement. */
  receive(event: string, data: unknown): Outcome | Promise<Outcome>;
  /** Called once, however the socket ended; also when `open` did not come to its end. */
  closed(): void;
}

export type EventSessionClass = new (
  services: ConsumerServices,
  handshake: Handshake,
  carrier: EventCarrier,
) => EventSession;

/** For an event that is done by the time its place in the order is settled. */
export function done(data: unknown = {}): Outcome {
  return { acknowledgement: Promise.resolve(data) };
}
