/** Every rule of the documents has an id, and a test that proves it says so. */
import { expect, test } from "vitest";
import { pathsBelow, readDocument } from "./documents.ts";

const ID = /\[([A-Z]+-\d+)\]/g;

/** The rules themselves, which begin with their id in bold; elsewhere an id refers to one. */
const RULE = /\*\*\[([A-Z]+-\d+)\]\*\*/g;

/** The title of a test, whether it is `test`, `it`, or one of `.each`, `.skipIf` and their like. */
const TITLE = /\b(?:test|it)(?:\.\w+)?(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs;

function idsIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, id = ""]) => id);
}

const documents = pathsBelow("docs", ".md").map(readDocument);
const rules = documents.flatMap((document) => idsIn(document, RULE));
const titles = pathsBelow("tests", ".test.ts").flatMap((path) =>
  [...readDocument(path).matchAll(TITLE)].map(([, , title = ""]) => ({ path, title })),
);

test("there are rules, and tests that cite them", () => {
  expect(rules.length).toBeGreaterThan(60);
  expect(titles.filter(({ title }) => title.startsWith("[")).length).toBeGreaterThan(60);
});

test("no two rules have the same id", () => {
  expect(rules.filter((id, index) => rules.indexOf(id) !== index)).toEqual([]);
});

test("each rule is cited by the title of a test", () => {
  const cited = new Set(titles.flatMap(({ title }) => idsIn(title, ID)));
  expect(rules.filter((id) => !cited.has(id))).toEqual([]);
});

test("no test cites a rule that is not there", () => {
  const known = new Set(rules);
  const unknown = titles.flatMap(({ path, title }) =>
    idsIn(title, ID)
      .filter((id) => !known.has(id))
      .map((id) => `${path}: ${id}`),
  );
  expect(unknown).toEqual([]);
});

test("the documents refer to no rule that is not there", () => {
  const known = new Set(rules);
  expect(documents.flatMap((document) => idsIn(document, ID)).filter((id) => !known.has(id))).toEqual([]);
});
