import { z } from "zod";
import { type NotificationsClientFrame, notificationsClientFrame, type pong } from "../protocol/channels.ts";
import { describeIssues } from "../protocol/errors.ts";
import { encodeTextFrame } from "../transport/frame.ts";
import { BadFrame } from "./bad-frame.ts";
import { Consumer, type Failure } from "./consumer.ts";

/** An empty client id is none. */
const frameEnvelope = z.looseObject({
  type: z.string(),
  client_id: z.string().min(1).max(64).optional().catch(undefined),
});

/** The same for everybody, whenever they ask. */
const pongFrame = encodeTextFrame(JSON.stringify({ type: "pong" } satisfies z.infer<typeof pong>));

const listeningTypes: ReadonlySet<string> = new Set<NotificationsClientFrame["type"]>(["ping"]);

/** What the channels dialect's consumers share: `{"type": …}` frames and their errors. */
export abstract class ChannelsConsumer extends Consumer {
  protected override encodeFailure({ code, message, retryAfter }: Failure, frame: unknown): object {
    const envelope = frameEnvelope.safeParse(frame).data;
    return {
      type: "error",
      code,
      message,
      ...(envelope !== undefined && { event: envelope.type.slice(0, 64) }),
      ...(envelope?.client_id !== undefined && { client_id: envelope.client_id }),
      ...(retryAfter !== undefined && { retry_after: retryAfter }),
    };
  }

  protected override nameOf(frame: unknown): string | null {
    return typeOf(frame);
  }

  /** Answers a `ping`. */
  protected sendPong(): void {
    this.connection.send(pongFrame);
  }

  /** The frame, checked. @throws BadFrame */
  protected parse<Frame>(schema: z.ZodType<Frame>, types: ReadonlySet<string>, frame: unknown): Frame {
    const type = typeOf(frame);
    if (type === null) throw new BadFrame("invalid_frame", "type: expected a JSON object with a type");
    if (!types.has(type)) throw new BadFrame("unknown_type", "no such frame type on this path");
    const parsed = schema.safeParse(frame);
    if (!parsed.success) throw new BadFrame("invalid_frame", describeIssues(parsed.error));
    return parsed.data;
  }
}

/** A path on which the client only listens, and may ask whether its line is alive. */
export abstract class ListeningConsumer extends ChannelsConsumer {
  protected override handle(frame: unknown): void {
    const parsed = this.parse(notificationsClientFrame, listeningTypes, frame);
    switch (parsed.type) {
      case "ping":
        this.sendPong();
        return;
    }
  }
}

function typeOf(frame: unknown): string | null {
  return typeof frame === "object" && frame !== null && "type" in frame && typeof frame.type === "string"
    ? frame.type
    : null;
}
