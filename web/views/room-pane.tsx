import type { OpenRoom } from "../open-room.ts";
import { goTo } from "../route.ts";
import { useWorkspace } from "../workspace.ts";
import { Boundary } from "./boundary.tsx";
import { ComposerForm } from "./composer-form.tsx";
import { DeleteMessage } from "./delete-message.tsx";
import { MessageLog } from "./message-log.tsx";
import { OutboxMessages } from "./outbox-messages.tsx";
import { RoomHeader } from "./room-header.tsx";

const NO_SUCH_ROOM = 4404;
const NOT_A_MEMBER = 4403;

export function RoomPane() {
  const { rooms } = useWorkspace();
  const room = rooms.current.value;
  const unopened = rooms.unopened.value;
  return (
    <main class="room" aria-label="Room">
      {room === null && unopened !== null && <CannotBeOpened name={unopened} />}
      {room === null ? unopened === null && <NoRoom /> : <OpenRoomPane key={keyOf(room)} room={room} />}
    </main>
  );
}

function OpenRoomPane({ room }: { room: OpenRoom }) {
  const state = room.state.value;
  const closedWith = state.name === "closed" ? state.why.code : null;
  if (closedWith === NO_SUCH_ROOM) {
    return (
      <>
        <NoSuchRoom name={room.name} />
        <Unsent room={room} />
        <LeftDraft room={room} />
      </>
    );
  }
  return (
    <>
      <RoomHeader room={room} />
      <Boundary of={room} otherwise={<p class="log-frame pane-note">This conversation could not be shown.</p>}>
        <MessageLog room={room} />
      </Boundary>
      <Problem room={room} />
      {closedWith === NOT_A_MEMBER ? (
        <div class="composer-closed">
          <p>You are no longer a member of this group.</p>
          <LeftDraft room={room} />
        </div>
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

const keys = new WeakMap<OpenRoom, number>();
let lastKey = 0;

/** A room that is opened again under the same name is another one. */
function keyOf(room: OpenRoom): number {
  const key = keys.get(room) ?? ++lastKey;
  keys.set(room, key);
  return key;
}

/** What was being written where nothing can be written any more. */
function LeftDraft({ room: { composer } }: { room: OpenRoom }) {
  const text = composer.text.value;
  if (text.trim() === "") return null;
  return (
    <div class="left-draft">
      <p>What you were writing was not sent:</p>
      <p class="excerpt" dir="auto">
        {text}
      </p>
      <button type="button" class="small" onClick={() => composer.clear()}>
        Discard
      </button>
    </div>
  );
}

/** What was written where nobody is: it can be copied, or dropped. */
function Unsent({ room }: { room: OpenRoom }) {
  if (room.outbox.failed.value.length === 0) return null;
  return (
    <div class="unsent">
      <OutboxMessages room={room} />
    </div>
  );
}

function NoRoom() {
  return (
    <div class="empty-room">
      <p>Choose a conversation, or start a new one.</p>
    </div>
  );
}

function CannotBeOpened({ name }: { name: string }) {
  return (
    <div class="empty-room">
      <h2>This name cannot be opened</h2>
      <p>
        “<bdi>{name}</bdi>” cannot stand in an address. A conversation with somebody of that name is in the list once
        there is a message in it.
      </p>
      <button type="button" onClick={() => goTo(null)}>
        Back to conversations
      </button>
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
