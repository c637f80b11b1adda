import { useState } from "preact/hooks";
import { attachedLink, guessMediaType, hostOf, isWebLink, linkTitle } from "../media.ts";
import type { TimelineMessage } from "../message.ts";
import { plainName } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Icon } from "./icon.tsx";

type MediaType = NonNullable<TimelineMessage["mediaType"]>;

/** What a message links to. Pictures and videos have a box of their size from the beginning, so that nothing moves. */
export function MessageMedia({ message }: { message: TimelineMessage }) {
  const { mediaUrl, mediaType, attachments, sender } = message;
  if (mediaUrl === null && attachments.length === 0) return null;
  return (
    <div class="media">
      {mediaUrl !== null && <Media url={mediaUrl} type={mediaType ?? guessMediaType(mediaUrl)} sender={sender} />}
      {attachments.map(attachedLink).map(({ title, url }, index) => (
        // Attachments never change, and may be the same twice: their place is what they are known by.
        <FileLink key={index} title={title} url={url} />
      ))}
    </div>
  );
}

function Media({ url, type, sender }: { url: string; type: MediaType; sender: string }) {
  const { trust } = useWorkspace();
  const [isBroken, setBroken] = useState(false);
  const title = linkTitle(url);
  if (!isWebLink(url)) return <FileLink title={title} url={null} />;
  if (type === "FILE") return <FileLink title={title} url={url} />;
  // What is not there has its address to say so; a name alone would look like a file that could be had.
  if (isBroken) return <FileLink title={title} url={url} note={url} />;
  if (!trust.loads(url, { kind: "person", username: sender })) return <HeldMedia url={url} type={type} />;
  const broken = () => setBroken(true);
  switch (type) {
    case "IMAGE":
      return (
        <a class="media-box" href={url} target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer">
          <img
            src={url}
            alt={`Picture: ${plainName(title)}`}
            loading="lazy"
            referrerpolicy="no-referrer"
            onError={broken}
          />
        </a>
      );
    case "VIDEO":
      return (
        <div class="media-box">
          {/* biome-ignore lint/a11y/useMediaCaption: whoever linked to it had none */}
          <video src={url} aria-label={`Video: ${plainName(title)}`} controls preload="metadata" onError={broken} />
        </div>
      );
    case "AUDIO":
      return (
        <div class="audio-box">
          {/* biome-ignore lint/a11y/useMediaCaption: whoever linked to it had none */}
          <audio src={url} aria-label={`Audio: ${plainName(title)}`} controls preload="none" onError={broken} />
        </div>
      );
  }
}

const WORDS = { IMAGE: "picture", VIDEO: "video", AUDIO: "sound" } as const;

/** In the place of what another host would be asked for: nobody there learns that it was looked at. */
function HeldMedia({ url, type }: { url: string; type: keyof typeof WORDS }) {
  const { trust } = useWorkspace();
  const host = hostOf(url);
  return (
    <div class={type === "AUDIO" ? "audio-box held" : "media-box held"}>
      <FileLink title={linkTitle(url)} url={url} />
      <button
        type="button"
        class="small"
        title="It is not fetched by itself, since you never answered this person."
        onClick={() => trust.show(url)}
      >
        Show {WORDS[type]} from {host}
      </button>
    </div>
  );
}

/** Without a `url`: the name alone. `note`: in place of the name. */
function FileLink({ title, url, note }: { title: string; url: string | null; note?: string }) {
  const words = (
    <>
      <Icon name="file" /> <bdi class={note === undefined ? "file-title" : "file-address"}>{note ?? title}</bdi>
    </>
  );
  if (url === null) return <span class="file">{words}</span>;
  return (
    <a class="file" href={url} target="_blank" rel="noopener noreferrer nofollow" referrerpolicy="no-referrer">
      {words}
    </a>
  );
}
