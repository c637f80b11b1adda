/** Links in what people write. */

export type TextPart =
  | { readonly kind: "text"; readonly text: string }
  /** `url` is what the text says, as a browser reads it. */
  | { readonly kind: "link"; readonly text: string; readonly url: string };

/** Up to a space, or what a sentence or markup puts around an address. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"“”«»`]+/giu;
/** What ends a sentence, and not an address. */
const TRAILING = new Set([...".,:;!?'’*_~…"]);
const OPENING: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** The text in parts, in order: no letter is lost, and no scheme but http and https becomes a link. */
export function linkedParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(found);
    const url = parsed(address);
    if (url === null || url.hostname === "") continue;
    if (index > end) parts.push({ kind: "text", text: text.slice(end, index) });
    parts.push({ kind: "link", text: address, url: url.href });
    end = index + address.length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** A bracket belongs to the address when it was opened in it. In one pass: there may be as many as a message is long. */
function withoutTrailing(found: string): string {
  const counts = new Map<string, number>();
  for (const character of found) counts.set(character, countOf(counts, character) + 1);
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found.charAt(end - 1);
    const opening = OPENING[last];
    const isUnopened = opening !== undefined && countOf(counts, opening) < countOf(counts, last);
    if (!TRAILING.has(last) && !isUnopened) break;
    counts.set(last, countOf(counts, last) - 1);
  }
  return found.slice(0, end);
}

function countOf(counts: ReadonlyMap<string, number>, character: string): number {
  return counts.get(character) ?? 0;
}

function parsed(address: string): URL | null {
  return URL.canParse(address) ? new URL(address) : null;
}
