import { linkedParts } from "../links.ts";

/** What somebody wrote, with the addresses in it as links. */
export function MessageText({ text }: { text: string }) {
  return (
    <span class="message-text">
      {linkedParts(text).map((part, index) =>
        part.kind === "text" ? (
          part.text
        ) : (
          // A part never changes its place: another text is drawn from its beginning.
          <WebLink key={index} url={part.url} text={part.text} />
        ),
      )}
    </span>
  );
}

/** Whoever it leads to learns neither where it stood nor has a hold on this page. */
export function WebLink({ url, text }: { url: string; text: string }) {
  return (
    <a class="web-link" href={url} target="_blank" rel="noopener noreferrer nofollow" referrerpolicy="no-referrer">
      {text}
    </a>
  );
}
