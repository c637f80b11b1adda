import { useSignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { goTo } from "../route.ts";
import { problemText } from "../session.ts";
import { useWorkspace } from "../workspace.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { PeoplePicker } from "./people-picker.tsx";

export function NewConversation({ onClosed }: { onClosed: () => void }) {
  const [isGroup, setGroup] = useState(false);
  return (
    <Dialog title={isGroup ? "New group" : "New conversation"} onClosed={onClosed}>
      {(close) => {
        const open = (room: string) => {
          close();
          goTo(room);
        };
        if (isGroup) return <NewGroup onMade={open} />;
        return (
          <>
            <button type="button" class="person" onClick={() => setGroup(true)}>
              <span class="avatar plain" aria-hidden="true">
                <Icon name="members" />
              </span>
              <span class="person-name">New group</span>
            </button>
            <PeoplePicker pick={open} typedLabel={(name) => `Write to “${name}”`} />
          </>
        );
      }}
    </Dialog>
  );
}

function NewGroup({ onMade }: { onMade: (room: string) => void }) {
  const { api, list, people } = useWorkspace();
  const name = useSignal("");
  const members = useSignal<readonly string[]>([]);
  const problem = useSignal<string | null>(null);
  const isBusy = useSignal(false);

  const make = async (event: Event) => {
    event.preventDefault();
    if (name.value.trim() === "") return;
    isBusy.value = true;
    problem.value = null;
    try {
      const { id } = await api.createGroup({ name: name.value.trim(), members: members.value });
      list.refresh();
      onMade(id);
    } catch (error) {
      problem.value = problemText(error);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <form onSubmit={make} class="stack">
      <label class="field">
        <span>Group name</span>
        <input
          required
          maxLength={256}
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <ChosenPeople
        names={members.value}
        onRemove={(name) => {
          members.value = members.value.filter((member) => member !== name);
        }}
      />
      <PeoplePicker
        except={[people.me.username, ...members.value]}
        typedLabel={(name) => `Add “${name}”`}
        pick={(username) => {
          if (!members.value.includes(username)) members.value = [...members.value, username];
        }}
      />
      {problem.value !== null && (
        <p class="alert" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit" class="primary" disabled={isBusy.value}>
        Create group
      </button>
    </form>
  );
}

export function ChosenPeople({ names, onRemove }: { names: readonly string[]; onRemove: (name: string) => void }) {
  const { people } = useWorkspace();
  if (names.length === 0) return null;
  return (
    <ul class="chosen" aria-label="Chosen people">
      {names.map((name) => (
        <li key={name}>
          <button
            type="button"
            class="chip"
            aria-label={`Remove ${people.nameOf(name)}`}
            onClick={() => onRemove(name)}
          >
            {people.nameOf(name)} <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
