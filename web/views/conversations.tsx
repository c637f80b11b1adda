import { useEffect, useRef, useState } from "preact/hooks";
import { fullTimeText, shortDateText } from "../dates.ts";
import type { Listed, ListedMessage } from "../listed.ts";
import { roomNameOf } from "../room-name.ts";
import { roomAddress } from "../route.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar, type AvatarImage } from "./avatar.tsx";
import { Boundary } from "./boundary.tsx";
import { IconButton } from "./icon.tsx";
import { Name } from "./name.tsx";
import { NewConversation } from "./new-conversation.tsx";
import { NewTabLink } from "./sign-in.tsx";

export function Conversations() {
  const { list } = useWorkspace();
  const [isStarting, setStarting] = useState(false);
  const conversations = list.conversations.value;
  const state = list.state.value;
  return (
    <nav class="conversations" aria-label="Conversations">
      <header class="pane-header">
        <h2>Conversations</h2>
        <IconButton icon="add" label="New conversation" class="accented" onClick={() => setStarting(true)} />
      </header>
      {isStarting && <NewConversation onClosed={() => setStarting(false)} />}
      {state.name === "failed" && (
        <p class="alert" role="alert">
          {state.why}{" "}
          <button type="button" class="small" onClick={list.refresh}>
            Try again
          </button>
        </p>
      )}
      {state.name === "loading" && conversations.length === 0 && <p class="muted pane-note">Loading…</p>}
      {state.name === "ready" && conversations.length === 0 && <NoConversations onStart={() => setStarting(true)} />}
      <ul class="conversation-list">
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <Boundary of={conversation} otherwise={<UnknownConversation conversation={conversation} />}>
              <ConversationLink conversation={conversation} />
            </Boundary>
          </li>
        ))}
        {list.hasMore.value && <More />}
      </ul>
    </nav>
  );
}

function ConversationLink({ conversation }: { conversation: Listed }) {
  const { rooms, people } = useWorkspace();
  const { id, name, imageUrl, other, last, unread } = conversation;
  const room = roomNameOf(conversation);
  const open = rooms.current.value?.name;
  const isOpen = open === room || open === id || open === other?.username;
  const source = other === null ? { kind: "group", id } : { kind: "person", username: other.username };
  return (
    <a class="conversation" href={roomAddress(room)} aria-current={isOpen ? "page" : undefined}>
      <Avatar name={name} of={other?.username ?? id} image={{ url: imageUrl, source } as AvatarImage} />
      <span class="conversation-name">
        <Name>{name}</Name>
        {other !== null && people.isMe(other.username) && <span class="muted"> (you)</span>}
      </span>
      {last !== null && (
        <time class="conversation-time" dateTime={last.sentAt} title={fullTimeText(last.sentAt)}>
          {shortDateText(last.sentAt)}
        </time>
      )}
      <span class="conversation-preview">
        {last === null ? "No messages yet" : <Preview message={last} isGroup={other === null} />}
      </span>
      {unread > 0 && (
        <span class="badge">
          <span aria-hidden="true">{unread > 999 ? "999+" : unread}</span>
          <span class="for-screen-readers">{unread} unread</span>
        </span>
      )}
    </a>
  );
}

const MEDIA_WORDS: Readonly<Record<string, string>> = { IMAGE: "Picture", VIDEO: "Video", AUDIO: "Audio" };

/** A long name leaves place for what was said. */
function Preview({ message, isGroup }: { message: ListedMessage; isGroup: boolean }) {
  const { isOwn, senderName, isDeleted, text, mediaType } = message;
  const sender = isOwn ? "You" : isGroup ? senderName : null;
  return (
    <>
      {sender !== null && (
        <>
          <bdi class="preview-sender">{sender}</bdi>
          <span class="preview-colon">: </span>
        </>
      )}
      {isDeleted ? (
        <i class="preview-text">Message deleted</i>
      ) : (
        <bdi class="preview-text">{text === "" ? (MEDIA_WORDS[mediaType ?? ""] ?? "File") : text.slice(0, 160)}</bdi>
      )}
    </>
  );
}

function UnknownConversation({ conversation }: { conversation: Listed }) {
  return (
    <a class="conversation" href={roomAddress(roomNameOf(conversation))}>
      A conversation that this page cannot show
    </a>
  );
}

function NoConversations({ onStart }: { onStart: () => void }) {
  return (
    <div class="pane-note">
      <p>No conversations yet.</p>
      <button type="button" class="primary" onClick={onStart}>
        Start one
      </button>
      <p class="muted">
        Nobody else here? <NewTabLink>Open another tab</NewTabLink> and sign in under another name.
      </p>
    </div>
  );
}

/** Comes into view at the end of the list, and brings more. */
function More() {
  const { list } = useWorkspace();
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void list.loadMore();
    });
    if (element.current !== null) observer.observe(element.current);
    return () => observer.disconnect();
  }, [list]);
  return (
    <li ref={element} class="more">
      <button type="button" onClick={() => void list.loadMore()}>
        More conversations
      </button>
    </li>
  );
}
