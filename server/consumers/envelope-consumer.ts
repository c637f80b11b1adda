/** Carries the events of a session as `{"event", "data", "id"?}` frames. */
import { z } from "zod";
import type { LargeRead } from "../core/large-reads.ts";
import { clientEnvelope, type pong } from "../protocol/envelope.ts";
import { describeIssues } from "../protocol/errors.ts";
import type { Delivery } from "../transport/delivery.ts";
import { encodeTextFrame } from "../transport/frame.ts";
import { BadFrame } from "./bad-frame.ts";
import { Consumer, type ConsumerServices, type Failure, type Handshake } from "./consumer.ts";
import type { EventCarrier, EventSession, EventSessionClass, ServerEvent } from "./event-session.ts";

const pongData: z.infer<typeof pong> = {};
const pongFrame = encodeTextFrame(JSON.stringify({ event: "pong", data: pongData }));

/** What can be made of a frame that was refused, field by field: an `id` that is one is always answered. */
const refusedEnvelope = z
  .looseObject({
    event: clientEnvelope.shape.event.optional().catch(undefined),
    id: clientEnvelope.shape.id.catch(undefined),
    data: z.unknown().optional(),
  })
  .catch({ data: undefined });

/** The consumer of a path on which `Session`'s events are spoken. */
export function envelopeConsumer(Session: EventSessionClass) {
  return class EnvelopeConsumer extends Consumer implements EventCarrier {
    readonly #session: EventSession;

    constructor(services: ConsumerServices, handshake: Handshake) {
      super(services, handshake);
      this.#session = new Session(services, handshake, this);
    }

    protected override async open(): Promise<void> {
      this.onClosed(() => this.#session.closed());
      await this.#session.open();
    }

    protected override handle(frame: unknown): void | Promise<void> {
      const envelope = clientEnvelope.safeParse(frame);
      if (!envelope.success) throw new BadFrame("invalid_frame", describeIssues(envelope.error));
      const { event, data = {}, id } = envelope.data;
      const outcome = this.#session.receive(event, data);
      const answer = ({ acknowledgement }: Awaited<typeof outcome>) => {
        // Not waited for: the next frame's place is after this one already.
        void this.attempt(frame, async () => {
          const acknowledged = await acknowledgement;
          if (id !== undefined) this.send({ event: "ack", id, data: acknowledged });
        });
      };
      if (outcome instanceof Promise) return outcome.then(answer);
      answer(outcome);
    }

    protected override nameOf(frame: unknown): string | null {
      return isRecord(frame) && typeof frame.event === "string" ? frame.event : null;
    }

    protected override encodeFailure({ code, message, retryAfter }: Failure, frame: unknown): object {
      const { event, id, data } = refusedEnvelope.parse(frame);
      const clientId = clientIdOf(data) ?? clientIdOf(isRecord(data) ? data.message : undefined);
      return {
        event: "error",
        ...(id !== undefined && { id }),
        data: {
          code,
          message,
          ...(event !== undefined && { event }),
          ...(clientId !== undefined && { client_id: clientId }),
          ...(retryAfter !== undefined && { retry_after: retryAfter }),
        },
      };
    }

    emit(event: ServerEvent): void {
      this.send(event);
    }

    deliver(delivery: Delivery, key: string, encode: () => ServerEvent | null): void {
      const frame = delivery.frame(key, encode);
      if (frame !== null) this.connection.send(frame);
    }

    pong(): void {
      this.connection.send(pongFrame);
    }

    emitError(code: "invalid_frame" | "forbidden", message: string): void {
      this.fail({ code, message }, undefined);
    }

    emitInTurn(event: ServerEvent): Promise<boolean> {
      return this.sendInTurn(event);
    }

    override takeLargeRead(): Promise<LargeRead> {
      return super.takeLargeRead();
    }

    close(name: Parameters<EventCarrier["close"]>[0]): void {
      this.connection.close(name);
    }
  };
}

/** The client id of a message under any of its names, so that a client knows which of them was refused. */
function clientIdOf(data: unknown): string | undefined {
  if (!isRecord(data)) return undefined;
  const { client_id, clientId, _id, message } = data;
  // Elsewhere `_id` is a group's, or that of a message that is there already.
  return [client_id, clientId, typeof message === "string" ? _id : undefined].find(
    (id): id is string => typeof id === "string" && id.length <= 64,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
