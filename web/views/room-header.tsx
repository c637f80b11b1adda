import { useState } from "preact/hooks";
import type { OpenRoom } from "../open-room.ts";
import { goTo } from "../route.ts";
import { listOf } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";
import { Icon, IconButton } from "./icon.tsx";
import { Members } from "./members.tsx";
import { PinnedMessages } from "./pinned-messages.tsx";

type OpenDialog = "none" | "members" | "pinned";

export function RoomHeader({ room }: { room: OpenRoom }) {
  const { people } = useWorkspace();
  const [dialog, setDialog] = useState<OpenDialog>("none");
  const { name, group, other } = room.details;
  const pins = room.pins.messages.value.length;
  const image = group.value?.image_url ?? (other.value === null ? null : people.avatarOf(other.value));
  const closed = () => setDialog("none");
  return (
    <header class="pane-header room-header">
      <IconButton icon="back" label="Back to conversations" class="narrow-only" onClick={() => goTo(null)} />
      <Avatar name={name.value} of={room.name} image={image} />
      <div class="room-title">
        <h2 dir="auto">{name.value}</h2>
        <PresenceText room={room} />
      </div>
      {pins > 0 && (
        <button type="button" class="quiet" aria-label={`Pinned messages: ${pins}`} onClick={() => setDialog("pinned")}>
          <Icon name="pin" /> {pins}
        </button>
      )}
      {group.value !== null && (
        <button
          type="button"
          class="quiet"
          aria-label={`Members: ${group.value.members_count}`}
          onClick={() => setDialog("members")}
        >
          <Icon name="members" /> {group.value.members_count}
        </button>
      )}
      {dialog === "pinned" && <PinnedMessages room={room} onClosed={closed} />}
      {dialog === "members" && group.value !== null && (
        <Members details={room.details} presence={room.presence} group={group.value} onClosed={closed} />
      )}
    </header>
  );
}

function PresenceText({ room }: { room: OpenRoom }) {
  const { people } = useWorkspace();
  const { presence, details, state } = room;
  const typing = [...presence.typing.value].map((user) => people.nameOf(user));
  if (state.value.name !== "open") return <p class="presence">&nbsp;</p>;
  if (typing.length > 0) {
    return (
      <p class="presence typing">
        {listOf(typing)} {typing.length === 1 ? "is" : "are"} typing…
      </p>
    );
  }
  const others = [...presence.online.value].filter((user) => !people.isMe(user));
  const other = details.other.value;
  if (other === null) return <p class="presence">{groupPresence(others.map((user) => people.nameOf(user)))}</p>;
  if (people.isMe(other)) return <p class="presence">Notes to yourself</p>;
  const isOnline = presence.online.value.has(other);
  return <p class={`presence ${isOnline ? "online" : ""}`}>{isOnline ? "online" : "offline"}</p>;
}

function groupPresence(others: readonly string[]): string {
  if (others.length === 0) return "nobody else is here";
  return others.length > 4 ? `${others.length} others here` : `${listOf(others)} here`;
}
