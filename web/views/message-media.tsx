import { useState } from "preact/hooks";
import { attachedLink, guessMediaType, isWebLink, linkTitle } from "../media.ts";
import type { TimelineMessage } from "../message.ts";
import { Icon } from "./icon.tsx";

/** What a message links to. Pictures and videos have a box of their size from the beginning, so that nothing moves. */
export function MessageMedia({ message }: { message: TimelineMessage }) {
  const { mediaUrl, mediaType, attachments } = message;
  if (mediaUrl === null && attachments.length === 0) return null;
  return (
    <div class="media">
      {mediaUrl !== null && <Media url={mediaUrl} type={mediaType ?? guessMediaType(mediaUrl)} />}
      {attachments.map(attachedLink).map(({ title, url }, index) => (
        // Attachments never change, and may be the same twice: their place is what they are known by.
        <FileLink key={index} title={title} url={url} />
      ))}
    </div>
  );
}

function Media({ url, type }: { url: string; type: NonNullable<TimelineMessage["mediaType"]> }) {
  const [isBroken, setBroken] = useState(false);
  const title = linkTitle(url);
  const link = <FileLink title={title} url={isWebLink(url) ? url : null} />;
  if (!isWebLink(url) || type === "FILE") return link;
  if (isBroken) return <div class={type === "AUDIO" ? "audio-box" : "media-box"}>{link}</div>;
  const broken = () => setBroken(true);
  switch (type) {
    case "IMAGE":
      return (
        <a class="media-box" href={url} target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer">
          <img src={url} alt={`Picture: ${title}`} loading="lazy" referrerpolicy="no-referrer" onError={broken} />
        </a>
      );
    case "VIDEO":
      return (
        <div class="media-box">
          {/* biome-ignore lint/a11y/useMediaCaption: whoever linked to it had none */}
          <video src={url} aria-label={`Video: ${title}`} controls preload="metadata" onError={broken} />
        </div>
      );
    case "AUDIO":
      return (
        <div class="audio-box">
          {/* biome-ignore lint/a11y/useMediaCaption: whoever linked to it had none */}
          <audio src={url} aria-label={`Audio: ${title}`} controls preload="none" onError={broken} />
        </div>
      );
  }
}

/** Without a `url`: the name alone. */
function FileLink({ title, url }: { title: string; url: string | null }) {
  const words = (
    <>
      <Icon name="file" /> <span class="file-title">{title}</span>
    </>
  );
  if (url === null) return <span class="file">{words}</span>;
  return (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer">
      {words}
    </a>
  );
}
