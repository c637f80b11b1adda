/** Links in what people write: see `web/links.ts`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkedParts } from "../../web/links.ts";

function linksIn(text: string): string[] {
  return linkedParts(text).flatMap((part) => (part.kind === "link" ? [part.text] : []));
}

describe("links in a text", () => {
  test.each([
    ["see https://example.com/a?b=c#d for more", "https://example.com/a?b=c#d"],
    ["HTTP://EXAMPLE.com", "HTTP://EXAMPLE.com"],
    ["(https://example.com)", "https://example.com"],
    ["https://example.com/a_(b)", "https://example.com/a_(b)"],
    ["(see https://example.com/a_(b)).", "https://example.com/a_(b)"],
    ["really https://example.com?!", "https://example.com"],
    ["https://example.com/, and", "https://example.com/"],
    ["“https://example.com”", "https://example.com"],
    ["<https://example.com>", "https://example.com"],
    ["https://münchen.example/straße", "https://münchen.example/straße"],
    ["http://[::1]:8000/x", "http://[::1]:8000/x"],
  ])("%s", (text, link) => {
    expect(linksIn(text)).toEqual([link]);
  });

  test.each([
    "javascript:alert(1)",
    "ftp://example.com",
    "data:text/html,<script>",
    "example.com",
    "xhttps://example.com",
    "https://",
    "http://%",
  ])("are not in: %s", (text) => {
    expect(linksIn(text)).toEqual([]);
  });

  test("leave every letter of the text where it was", () => {
    const words = fc.constantFrom(
      "https://a.example",
      "http://",
      ")",
      "(",
      ".",
      " ",
      "\n",
      "x",
      "שלום",
      "https://b.example/(c)",
    );
    fc.assert(
      fc.property(fc.array(words), (some) => {
        const text = some.join("");
        expect(
          linkedParts(text)
            .map((part) => part.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });

  test("are http or https, whatever the text is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const urls = linkedParts(`http://${text} https://${text}`).flatMap((part) =>
          part.kind === "link" ? [part.url] : [],
        );
        for (const url of urls) expect(url).toMatch(/^https?:\/\//);
      }),
    );
  });
});
