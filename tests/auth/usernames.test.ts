/** Which names may be taken, and which are the same. */
import { describe, expect, test } from "vitest";
import { claimedUsername, storedUsername, username } from "../../server/protocol/fields.ts";

const INVISIBLE = {
  "a grapheme joiner": "\u034f",
  "a zero-width space": "\u200b",
  "a zero-width joiner": "\u200d",
  "a variation selector": "\ufe0f",
  "a tag": "\u{e0061}",
  "a soft hyphen": "\u00ad",
  "a Hangul filler": "\u3164",
  "a direction mark": "\u200f",
  "an override": "\u202e",
};

describe("[AUTH-6] a username", () => {
  test.each([
    "alice",
    "Alice",
    "zoë+1@a.b-c_d",
    "Анна",
    "田中さん",
    "김철수",
    "Γιώργος",
    "محمد",
    "คำแก้ว",
    "bob2",
    "a..b",
    "._",
    "Σ2",
  ])("may be %s", (name) => expect(username.parse(name)).toBe(name));

  test.each(Object.entries(INVISIBLE))("has no invisible character such as %s", (_what, character) => {
    for (const name of [`bob${character}`, `${character}bob`, `b${character}ob`, character]) {
      expect(username.safeParse(name).success).toBe(false);
    }
  });

  test.each([
    ["a Cyrillic letter among Latin ones", "bоb"],
    ["a Latin letter among Cyrillic ones", "Aнна"],
    ["a Greek letter among Latin ones", "bοb"],
    ["Greek and Cyrillic letters", "αб"],
    ["full-width letters", "ｂｏｂ"],
    ["mathematical letters", "𝐛𝐨𝐛"],
    ["a ligature", "ﬁn"],
    ["a superscript", "bob²"],
    ["a mark without its letter", "\u0301"],
    ["a mark at the beginning", "\u0301bob"],
    ["five marks on a letter", `b${"\u0301".repeat(5)}ob`],
    ["a dot", "."],
    ["dots", ".."],
    ["many dots", "...."],
    ["the path of the notifications", "notifications"],
    ["the mark of an id", "~bob"],
    ["a blank", "bob bob"],
    ["nothing", ""],
    ["151 letters", "x".repeat(151)],
  ])("is not %s", (_what, name) => {
    expect(username.safeParse(name).success).toBe(false);
  });

  test("is one in both forms of Unicode", () => {
    expect(username.parse("réne".normalize("NFD"))).toBe("réne".normalize("NFC"));
    expect(claimedUsername.parse("réne".normalize("NFD"))).toBe("réne".normalize("NFC"));
  });

  test("that was taken before is read, and shown, as it is", () => {
    for (const name of ["bоb", "bob\ufe0f", ".."]) {
      expect(claimedUsername.parse(name)).toBe(name);
      expect(storedUsername.parse(name)).toBe(name);
    }
  });
});
