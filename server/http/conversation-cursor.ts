/** The place of a row in the list of conversations, as an opaque word. */
import { z } from "zod";
import { Refusal } from "../core/errors.ts";
import { resourceId, timestamp } from "../protocol/fields.ts";

export interface ConversationPlace {
  readonly updatedAt: string;
  readonly id: string;
}

const place = z.tuple([timestamp, resourceId]);

export function writeCursor({ updatedAt, id }: ConversationPlace): string {
  return Buffer.from(JSON.stringify([updatedAt, id])).toString("base64url");
}

/** @throws Refusal `invalid_frame`: not a word of `writeCursor`'s. */
export function readCursor(cursor: string): ConversationPlace {
  const parsed = place.safeParse(parseJson(Buffer.from(cursor, "base64url").toString()));
  if (!parsed.success) throw new Refusal("invalid_frame", "query.cursor: expected a cursor from next");
  const [updatedAt, id] = parsed.data;
  return { updatedAt, id };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No place, which its schema says.
    return undefined;
  }
}
