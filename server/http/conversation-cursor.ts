/** The place of a row in the list of conversations, as an opaque word. */
import { z } from "zod";
import { Refusal } from "../core/errors.ts";
import { resourceId } from "../protocol/fields.ts";

export interface ConversationPlace {
  readonly updatedAt: string;
  readonly id: string;
}

/** As `writeCursor` got it: other years (0000, and those with a sign) are dates here and none in the database. */
const updatedAt = z.string().refine((text) => {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text && /^(?!0000)\d{4}-/.test(text);
});

const place = z.tuple([updatedAt, resourceId]);

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
