import { isChange } from "../core/events.ts";
import type { Delivery } from "./delivery.ts";

/** Deliveries kept for a socket that takes its time over a replay, however small; with more it is too slow. */
const MAX_KEPT = 5_000;

export interface DeliveryGateOptions {
  readonly deliver: (delivery: Delivery) => void;
  /** Of what may be kept, as JSON. */
  readonly maxBytes: number;
  /** Too much was kept; nothing is delivered any more. */
  readonly overflow: () => void;
}

/**
 * Between what a socket hears and what it is sent: while the gate is shut (the socket opens, or is told what it missed),
 * deliveries are kept; then those are let through that it has not been told of already.
 */
export class DeliveryGate {
  readonly #options: DeliveryGateOptions;
  /** By conversation, until its first later change: what was read from storage may be heard long after it was told. */
  readonly #toldUpTo = new Map<string, number>();
  #kept: Delivery[] | null = [];
  #keptBytes = 0;

  constructor(options: DeliveryGateOptions) {
    this.#options = options;
  }

  hear(delivery: Delivery): void {
    if (this.#kept === null) {
      this.#pass(delivery);
      return;
    }
    this.#kept.push(delivery);
    this.#keptBytes += delivery.byteLength;
    if (this.#kept.length <= MAX_KEPT && this.#keptBytes <= this.#options.maxBytes) return;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#options.overflow();
  }

  shut(): void {
    this.#kept ??= [];
  }

  /** `toldUpTo`: by conversation, the seq up to which the socket has been told its changes. */
  open(toldUpTo: ReadonlyMap<string, number>): void {
    for (const [conversationId, seq] of toldUpTo) this.#toldUpTo.set(conversationId, seq);
    const kept = this.#kept ?? [];
    this.#kept = null;
    this.#keptBytes = 0;
    for (const delivery of kept) this.#pass(delivery);
  }

  /** The socket is to hear nothing more of this conversation, not even what was kept. */
  forget(conversationId: string): void {
    this.#toldUpTo.delete(conversationId);
    this.#kept = this.#kept?.filter(({ event }) => event.conversationId !== conversationId) ?? null;
    this.#keptBytes = (this.#kept ?? []).reduce((bytes, delivery) => bytes + delivery.byteLength, 0);
  }

  #pass(delivery: Delivery): void {
    const { event } = delivery;
    if (isChange(event)) {
      const told = this.#toldUpTo.get(event.conversationId);
      if (told !== undefined && event.seq <= told) return;
      this.#toldUpTo.delete(event.conversationId);
    }
    this.#options.deliver(delivery);
  }
}
