import { useSignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { FORM } from "../kept-work.ts";
import { isComposingKey } from "../keys.ts";
import { problemText } from "../problems.ts";
import { nameOfId } from "../room-name.ts";
import { goTo } from "../route.ts";
import { plainName } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { Name } from "./name.tsx";
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
            <PeoplePicker pick={open} typedLabel={(name) => `Write to “${name}”`} isFirst />
          </>
        );
      }}
    </Dialog>
  );
}

interface BegunGroup {
  readonly name: string;
  /** Usernames. */
  readonly members: readonly string[];
}

const NO_GROUP: BegunGroup = { name: "", members: [] };

function isNoGroup({ name, members }: BegunGroup): boolean {
  return name === "" && members.length === 0;
}

function NewGroup({ onMade }: { onMade: (room: string) => void }) {
  const { api, list, people, work } = useWorkspace();
  // A group that is half made is found again when the dialog was closed.
  const begun = work.kept(`${FORM}new-group`, NO_GROUP, isNoGroup);
  const { name, members } = begun.value;
  const field = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLDivElement>(null);
  const problem = useSignal<string | null>(null);
  const isBusy = useSignal(false);

  const make = async (event: Event) => {
    event.preventDefault();
    if (name.trim() === "" || isBusy.value) return;
    isBusy.value = true;
    problem.value = null;
    try {
      const { id } = await api.createGroup({ name: name.trim(), members });
      begun.value = NO_GROUP;
      list.refresh();
      onMade(nameOfId(id));
    } catch (error) {
      problem.value = problemText(error);
    } finally {
      isBusy.value = false;
    }
  };

  useEffect(() => field.current?.focus(), []);
  // A name alone makes no group yet: Enter goes on to who is in it.
  const keyed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.target !== field.current) return;
    event.preventDefault();
    if (!isComposingKey(event)) search.current?.querySelector("input")?.focus();
  };

  return (
    <form onSubmit={make} onKeyDown={keyed} class="stack">
      <label class="field">
        <span>Group name</span>
        <input
          ref={field}
          required
          maxLength={256}
          dir="auto"
          value={name}
          onInput={(event) => {
            begun.value = { name: event.currentTarget.value, members };
          }}
        />
      </label>
      <ChosenPeople
        names={members}
        onRemove={(gone) => {
          begun.value = { name, members: members.filter((member) => member !== gone) };
        }}
      />
      <div ref={search}>
        <PeoplePicker
          except={[people.me.username, ...members]}
          typedLabel={(typed) => `Add “${typed}”`}
          pick={(username) => {
            if (!members.includes(username)) begun.value = { name, members: [...members, username] };
          }}
        />
      </div>
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
            aria-label={`Remove ${plainName(people.nameOf(name))}`}
            onClick={() => onRemove(name)}
          >
            <Name>{people.nameOf(name)}</Name> <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
