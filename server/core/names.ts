/** Names that people and groups are shown by. They name nobody: what is looked up is a username or an id. */
import { Refusal } from "./errors.ts";

/** Line ends and the like, and what turns the direction of the text around the name. */
const DISRUPTIVE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/**
 * Letters, digits, signs, and characters that this version of Unicode does not know: a font, or a later version, may. Hangul
 * fillers are letters, and the empty braille pattern is a sign, but nobody sees them.
 */
const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}\p{P}\p{S}\p{Co}\p{Cn}]/u;

/**
 * The name as it is stored: normalized, without blanks around it. Empty stays empty.
 *
 * @throws Refusal `invalid_frame`, naming the field: one that shows nothing, or disturbs what stands beside it
 */
export function shownName(field: string, text: string): string {
  const name = text.normalize("NFC").trim();
  if (DISRUPTIVE.test(name)) {
    throw new Refusal("invalid_frame", `${field}: expected no control characters and none that turn the text around`);
  }
  if (text !== "" && !VISIBLE.test(name)) throw new Refusal("invalid_frame", `${field}: expected something to see`);
  return name;
}
