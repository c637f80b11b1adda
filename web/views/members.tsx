import { useSignal } from "@preact/signals";
import type { ConversationDetailsBody, ProfileBody } from "../../client/index.ts";
import type { Details } from "../details.ts";
import { FORM } from "../kept-work.ts";
import { keepComposing } from "../keys.ts";
import { displayName, imageOf } from "../people.ts";
import type { Presence } from "../presence.ts";
import { problemText } from "../problems.ts";
import { plainName, plural } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { PeoplePicker } from "./people-picker.tsx";

export function Members({
  details,
  presence,
  group,
  onClosed,
}: {
  details: Details;
  presence: Presence;
  group: ConversationDetailsBody;
  onClosed: () => void;
}) {
  const { me } = useWorkspace().people;
  const problem = useSignal<string | null>(null);
  const isCreator = group.creator_id === me.id;
  const hidden = group.members_count - group.members.length;

  const add = async (username: string): Promise<void> => {
    const invited = await details.add([username]);
    if (invited.length > 0)
      problem.value = `${plainName(username)} left this group, and comes back only by themselves.`;
  };
  const attempt = async (command: Promise<void>): Promise<boolean> => {
    problem.value = null;
    try {
      await command;
      return true;
    } catch (error) {
      problem.value = problemText(error);
      return false;
    }
  };

  return (
    <Dialog title="Members" onClosed={onClosed}>
      {(close) => (
        <div class="stack">
          {isCreator && <Rename id={group.id} name={group.name} onRename={(name) => attempt(details.rename(name))} />}
          <ul class="people" aria-label="Members of the group">
            {group.members.map((member) => (
              <Member
                key={member.id}
                member={member}
                isCreator={member.id === group.creator_id}
                isOnline={presence.online.value.has(member.username)}
                onRemove={isCreator && member.id !== me.id ? () => void attempt(details.remove(member.id)) : null}
              />
            ))}
          </ul>
          {hidden > 0 && <p class="muted">and {plural(hidden, "other", "others")}</p>}
          {problem.value !== null && (
            <p class="alert" role="alert">
              {problem.value}
            </p>
          )}
          {isCreator && (
            <PeoplePicker
              except={group.members.map(({ username }) => username)}
              typedLabel={(name) => `Add “${name}”`}
              pick={(username) => void attempt(add(username))}
            />
          )}
          <Leave
            onLeave={() => {
              void attempt(details.leave());
              close();
            }}
          />
        </div>
      )}
    </Dialog>
  );
}

function Member({
  member,
  isCreator,
  isOnline,
  onRemove,
}: {
  member: ProfileBody;
  isCreator: boolean;
  isOnline: boolean;
  onRemove: (() => void) | null;
}) {
  const { people } = useWorkspace();
  const name = displayName(member);
  return (
    <li class="person">
      <Avatar name={name} of={member.username} image={imageOf(people, member.username)} />
      <span class="person-name">
        <bdi>{name}</bdi>
        {people.isMe(member.username) && <span class="muted"> (you)</span>}
      </span>
      {isOnline && <span class="presence online">online</span>}
      {isCreator && <span class="tag">creator</span>}
      {onRemove !== null && (
        <button type="button" class="small" aria-label={`Remove ${plainName(name)}`} onClick={onRemove}>
          Remove
        </button>
      )}
    </li>
  );
}

/** A name that is half written, or that was refused, is found again. */
function Rename({ id, name, onRename }: { id: string; name: string; onRename: (name: string) => Promise<boolean> }) {
  const { work } = useWorkspace();
  const begun = work.kept<string | null>(`${FORM}rename:${id}`, null, (text) => text === null);
  const text = begun.value ?? name;
  const isNew = text.trim() !== "" && text.trim() !== name;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isNew && (await onRename(text.trim())) && begun.peek() === text) begun.value = null;
  };
  return (
    <form class="rename" onSubmit={submit} onKeyDown={keepComposing}>
      <label class="field">
        <span>Group name</span>
        <input
          maxLength={256}
          dir="auto"
          value={text}
          onInput={(event) => {
            begun.value = event.currentTarget.value === name ? null : event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" disabled={!isNew}>
        Rename
      </button>
    </form>
  );
}

/** Asks once more: who has left is back only when the creator adds them. */
function Leave({ onLeave }: { onLeave: () => void }) {
  const isAsked = useSignal(false);
  if (!isAsked.value) {
    const ask = () => {
      isAsked.value = true;
    };
    return (
      <button type="button" class="quiet-danger" onClick={ask}>
        <Icon name="signOut" /> Leave group
      </button>
    );
  }
  return (
    <div class="dialog-buttons">
      <button type="button" onClick={() => (isAsked.value = false)}>
        Stay
      </button>
      <button type="button" class="danger" onClick={onLeave}>
        Leave
      </button>
    </div>
  );
}
