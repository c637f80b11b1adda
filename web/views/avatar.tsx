import { useState } from "preact/hooks";
import { isWebLink } from "../media.ts";

/** As many as there are `.hue-…` classes. */
const HUES = 8;

/** The class with the colours of a name; the same for everybody who looks. */
export function hueOf(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `hue-${hash % HUES}`;
}

/** `of`: what the colour is made of, so that it stays when the name changes. */
export function Avatar({ name, of = name, image = null }: { name: string; of?: string; image?: string | null }) {
  const [broken, setBroken] = useState<string | null>(null);
  const hasImage = image !== null && image !== broken && isWebLink(image);
  return (
    <span class={`avatar ${hueOf(of)}`} aria-hidden="true">
      {hasImage ? (
        <img src={image} alt="" referrerpolicy="no-referrer" loading="lazy" onError={() => setBroken(image)} />
      ) : (
        initials(name)
      )}
    </span>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s._+@-]+/).filter((word) => word !== "");
  const letters = (words.length > 1 ? [words[0], words.at(-1)] : [name]).map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toLocaleUpperCase();
}
