import type { OpenRoom } from "../open-room.ts";
import { goTo } from "../route.ts";
import { useWorkspace } from "../workspace.ts";
import { ComposerForm } from "./composer-form.tsx";
import { DeleteMessage } from "./delete-message.tsx";
import { MessageLog } from "./message-log.tsx";
import { RoomHeader } from "./room-header.tsx";

const NO_SUCH_ROOM = 4404;
const NOT_A_MEMBER = 4403;

export function RoomPane() {
  const { rooms } = useWorkspace();
  const room = rooms.current.value;
  return (
    <main class="room" aria-label="Room">
      {room === null ? <NoRoom /> : <OpenRoomPane key={room.name} room={room} />}
    </main>
  );
}

function OpenRoomPane({ room }: { room: OpenRoom }) {
  const state = room.state.value;
  const closedWith = state.name === "closed" ? state.why.code : null;
  if (closedWith === NO_SUCH_ROOM) return <NoSuchRoom name={room.name} />;
  return (
    <>
      <RoomHeader room={room} />
      <MessageLog room={room} />
      <Problem room={room} />
      {closedWith === NOT_A_MEMBER ? (
        <p class="composer-closed">You are no longer a member of this group.</p>
      ) : (
        <ComposerForm room={room} />
      )}
      {room.doomed.value !== null && <DeleteMessage room={room} message={room.doomed.value} />}
    </>
  );
}

function Problem({ room }: { room: OpenRoom }) {
  const text = room.problem.value;
  if (text === null) return null;
  const dismiss = () => {
    room.problem.value = null;
  };
  return (
    <p class="alert room-problem" role="alert">
      {text}
      <button type="button" class="small" onClick={dismiss}>
        Dismiss
      </button>
    </p>
  );
}

function NoRoom() {
  return (
    <div class="empty-room">
      <p>Choose a conversation, or start a new one.</p>
    </div>
  );
}

function NoSuchRoom({ name }: { name: string }) {
  return (
    <div class="empty-room">
      <h2>Nobody here</h2>
      <p>
        There is nobody called “<bdi>{name}</bdi>”, and no conversation of yours with that id.
      </p>
      <button type="button" onClick={() => goTo(null)}>
        Back to conversations
      </button>
    </div>
  );
}
