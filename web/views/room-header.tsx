import { useState } from "preact/hooks";
import type { OpenRoom } from "../open-room.ts";
import { goTo } from "../route.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar, type AvatarImage, ShowImage } from "./avatar.tsx";
import { Icon, IconButton } from "./icon.tsx";
import { Members } from "./members.tsx";
import { Names } from "./name.tsx";
import { PinnedMessages } from "./pinned-messages.tsx";

type OpenDialog = "none" | "members" | "pinned";

export function RoomHeader({ room }: { room: OpenRoom }) {
  const { people } = useWorkspace();
  const [dialog, setDialog] = useState<OpenDialog>("none");
  const { name, group, other } = room.details;
  const pins = room.pins.messages.value.length;
  const image: AvatarImage =
    other.value === null
      ? { url: group.value?.image_url ?? null, source: { kind: "group", id: room.details.id.value ?? room.name } }
      : { url: people.avatarOf(other.value), source: { kind: "person", username: other.value } };
  const closed = () => setDialog("none");
  return (
    <header class="pane-header room-header">
      <IconButton icon="back" label="Back to conversations" class="narrow-only" onClick={() => goTo(null)} />
      <Avatar name={name.value} of={room.name} image={image} />
      <div class="room-title">
        <h2 dir="auto">{name.value}</h2>
        <PresenceText room={room} />
      </div>
      <ShowImage image={image} />
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
        <Names of={typing} /> {typing.length === 1 ? "is" : "are"} typing…
      </p>
    );
  }
  const others = [...presence.online.value].filter((user) => !people.isMe(user));
  const other = details.other.value;
  if (other === null) return <GroupPresence others={others.map((user) => people.nameOf(user))} />;
  if (people.isMe(other)) return <p class="presence">Notes to yourself</p>;
  const isOnline = presence.online.value.has(other);
  return <p class={`presence ${isOnline ? "online" : ""}`}>{isOnline ? "online" : "offline"}</p>;
}

function GroupPresence({ others }: { others: readonly string[] }) {
  if (others.length === 0) return <p class="presence">nobody else is here</p>;
  return <p class="presence">{others.length > 4 ? `${others.length} others` : <Names of={others} />} here</p>;
}
