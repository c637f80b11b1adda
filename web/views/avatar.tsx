import { useState } from "preact/hooks";
import { hostOf, isWebLink } from "../media.ts";
import type { Source } from "../trust.ts";
import { useWorkspace } from "../workspace.ts";

/** As many as there are `.hue-…` classes. */
const HUES = 8;

/** The class with the colours of a name; the same for everybody who looks. */
export function hueOf(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `hue-${hash % HUES}`;
}

export interface AvatarImage {
  readonly url: string | null;
  readonly source: Source;
}

/** `of`: what the colour is made of, so that it stays when the name changes. Of an image that is not to be fetched: initials. */
export function Avatar({ name, of = name, image = null }: { name: string; of?: string; image?: AvatarImage | null }) {
  const { trust } = useWorkspace();
  const [broken, setBroken] = useState<string | null>(null);
  const url = image?.url ?? null;
  const isShown = image !== null && url !== null && url !== broken && isWebLink(url) && trust.loads(url, image.source);
  return (
    <span class={`avatar ${hueOf(of)}`} aria-hidden="true">
      {isShown ? (
        <img src={url} alt="" referrerpolicy="no-referrer" loading="lazy" onError={() => setBroken(url)} />
      ) : (
        initials(name)
      )}
    </span>
  );
}

/** Fetches an image that was not to be fetched. Nothing where there is none. */
export function ShowImage({ image }: { image: AvatarImage }) {
  const { trust } = useWorkspace();
  const { url, source } = image;
  if (url === null || !isWebLink(url) || trust.loads(url, source)) return null;
  const label = `Show the picture from ${hostOf(url)}`;
  return (
    <button type="button" class="small" aria-label={label} title={label} onClick={() => trust.show(url)}>
      Show picture
    </button>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s._+@-]+/).filter((word) => word !== "");
  const letters = (words.length > 1 ? [words[0], words.at(-1)] : [name]).map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toLocaleUpperCase();
}
