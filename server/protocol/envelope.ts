/**
 * The envelope of the event dialects, both ways: `{"event": "<name>", "data": {…}, "id"?}`. A client's `id` asks for an
 * acknowledgement, which carries it back.
 */
import { z } from "zod";
import { errorCode } from "./errors.ts";
import { text } from "./fields.ts";

const acknowledgementId = z.union([text(64), z.number()], {
  error: "expected a string of at most 64 characters or a number",
});

/** What a client sends. `data` is checked by the event's own schema. */
export const clientEnvelope = z.strictObject({
  event: text(64).min(1, "expected the name of an event"),
  data: z.unknown().optional(),
  id: acknowledgementId.optional(),
});

/** The data of `ping`, which every path answers with `pong`: a page cannot see WebSocket pings. */
export const ping = z.strictObject({});

/** The data of `pong`, for the socket that asked alone. */
export const pong = z.strictObject({});

/** The answer to an event that had an `id`, when it was done. */
export const acknowledgement = z.strictObject({
  event: z.literal("ack"),
  id: acknowledgementId,
  data: z.unknown(),
});

/** The answer to an event that was refused; with the `id` that it had. */
export const errorEnvelope = z.strictObject({
  event: z.literal("error"),
  id: acknowledgementId.optional(),
  data: z.strictObject({
    code: errorCode,
    message: z.string(),
    event: z.string().optional().describe("the event that was refused"),
    client_id: z.string().optional(),
    retry_after: z.number().int().positive().optional().describe("milliseconds; with rate_limited"),
  }),
});
