/**
 * Which names a person may take. Two that look the same must not be two people, as far as a rule about one name alone can
 * see to it.
 *
 * Source: Unicode UTS #39, "Unicode Security Mechanisms", 3.1 (identifier profile) and 5.2 (restriction levels).
 */

/** The form of every username there ever was: what is stored already has it, also where it could not be taken any more. */
export const USERNAME_FORM = /^[\p{L}\p{M}\p{N}@.+\-_]{1,150}$/u;

/** The word in the path of the notifications: no conversation could be opened with who had it. */
export const RESERVED_USERNAME = "notifications";

/** Joiners, variation selectors, fillers, tags: they show nothing, so that a name with one looks like another. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/** Piled up marks reach over what stands around them. */
const PILED_MARKS = /\p{M}{5}/u;

/** Scripts whose letters have doubles in another of them: `b` and `b` with a Cyrillic `о` between look like `bob`. */
const LOOKALIKE_SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Lisu}/u,
];

/** Thai and Lao write these two vowels so, though Unicode calls them compatible with a pair of characters. */
const ORDINARY_COMPATIBLES = /[\u0e33\u0eb3]/g;

/** As a name is stored and looked up: composed and decomposed letters (`é`) are one and the same. */
export function normalizeUsername(text: string): string {
  return text.normalize("NFC");
}

/** What is wrong with a name of that form, normalized, for somebody who takes it now; null: nothing. */
export function objectionToUsername(name: string): string | null {
  if (/^\.+$/.test(name)) return "expected more than dots, which a path cannot carry";
  if (INVISIBLE.test(name)) return "expected no invisible characters";
  if (/^\p{M}/u.test(name) || PILED_MARKS.test(name))
    return "expected no mark without its letter, and at most 4 on one";
  if (LOOKALIKE_SCRIPTS.filter((script) => script.test(name)).length > 1) {
    return "expected letters of one script, where letters of several look alike";
  }
  const plain = name.replace(ORDINARY_COMPATIBLES, "");
  if (plain.normalize("NFKC") !== plain) return "expected ordinary letters and digits, no styled or composed forms";
  return null;
}
