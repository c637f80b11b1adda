/** Links to media, as messages carry them. */
import type { MediaType } from "./message.ts";

const EXTENSIONS: readonly (readonly [MediaType, RegExp])[] = [
  ["IMAGE", /\.(apng|avif|gif|jpe?g|png|svg|webp)$/i],
  ["VIDEO", /\.(m4v|mov|mp4|ogv|webm)$/i],
  ["AUDIO", /\.(aac|flac|m4a|mp3|oga|ogg|opus|wav)$/i],
];

/** The kind that the file's extension tells of; a file where it tells nothing. */
export function guessMediaType(url: string): MediaType {
  const path = isWebLink(url) ? new URL(url).pathname : url;
  return EXTENSIONS.find(([, extension]) => extension.test(path))?.[0] ?? "FILE";
}

/** Whether it can be opened: a relative reference is a name alone. */
export function isWebLink(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** What a link is called: the file's name, or the host where there is none. */
export function linkTitle(url: string): string {
  if (!isWebLink(url)) return url;
  const { pathname, hostname } = new URL(url);
  const name = pathname.split("/").findLast((part) => part !== "") ?? hostname;
  try {
    return decodeURIComponent(name);
  } catch {
    // A stray percent sign.
    return name;
  }
}

export interface AttachedLink {
  readonly title: string;
  /** Null where the client's object has none that can be opened. */
  readonly url: string | null;
}

/** An attachment is a link, or an object of the sender's that may have a `url` and a `title`. */
export function attachedLink(attachment: unknown): AttachedLink {
  if (typeof attachment === "string") return { title: linkTitle(attachment), url: attachment };
  const { url, title } = (attachment ?? {}) as { url?: unknown; title?: unknown };
  const link = typeof url === "string" && isWebLink(url) ? url : null;
  return { title: typeof title === "string" && title !== "" ? title : linkTitle(link ?? "attachment"), url: link };
}

/** In ASCII, as it is asked for: no letters that look like others. */
export function hostOf(url: string): string {
  return new URL(url).host;
}
