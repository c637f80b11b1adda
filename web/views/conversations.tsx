import { useEffect, useRef, useState } from "preact/hooks";
import type { ConversationBody, MessageBody } from "../../client/index.ts";
import { fullTimeText, shortDateText } from "../dates.ts";
import { displayName } from "../people.ts";
import { roomAddress } from "../route.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";
import { IconButton } from "./icon.tsx";
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
            <ConversationLink conversation={conversation} />
          </li>
        ))}
        {list.hasMore.value && <More />}
      </ul>
    </nav>
  );
}

function ConversationLink({ conversation }: { conversation: ConversationBody }) {
  const { rooms, people } = useWorkspace();
  const { id, other_user: other, last_message: last, unread_count: unread } = conversation;
  const room = other?.username ?? id;
  const name = other === null ? conversation.name : displayName(other);
  const open = rooms.current.value?.name;
  const isOpen = open === room || open === id;
  return (
    <a class="conversation" href={roomAddress(room)} aria-current={isOpen ? "page" : undefined}>
      <Avatar name={name} of={room} image={conversation.image_url} />
      <span class="conversation-name" dir="auto">
        {name}
        {other !== null && people.isMe(other.username) && <span class="muted"> (you)</span>}
      </span>
      {last !== null && (
        <time class="conversation-time" dateTime={last.date_added} title={fullTimeText(last.date_added)}>
          {shortDateText(last.date_added)}
        </time>
      )}
      <span class="conversation-preview" dir="auto">
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

const MEDIA_WORDS = { IMAGE: "Picture", VIDEO: "Video", AUDIO: "Audio", FILE: "File" } as const;

function Preview({ message, isGroup }: { message: MessageBody; isGroup: boolean }) {
  const { people } = useWorkspace();
  const { username } = message.from_user;
  const sender = people.isMe(username) ? "You: " : isGroup ? `${displayName(message.from_user)}: ` : "";
  if (message.deleted) return <i>{sender}Message deleted</i>;
  const words = message.content === "" ? MEDIA_WORDS[message.media_type ?? "FILE"] : message.content.slice(0, 160);
  return (
    <>
      {sender}
      {words}
    </>
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
