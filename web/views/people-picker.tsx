import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ProfileBody } from "../../client/index.ts";
import { isComposingKey, isTouch } from "../keys.ts";
import { displayName, imageOf } from "../people.ts";
import { problemText } from "../problems.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";

/** Milliseconds without a key after which the server is asked. */
const PAUSE = 150;

/** Finds people by the beginnings of their names; any other name can be typed. `pick` is given a username. */
export function PeoplePicker({
  pick,
  typedLabel,
  except = [],
  isFirst = false,
}: {
  pick: (username: string) => void;
  /** What the button with the typed name says. */
  typedLabel: (name: string) => string;
  /** Usernames that are not offered. */
  except?: readonly string[];
  /** What is typed in a dialog that opens is looked for. */
  isFirst?: boolean;
}) {
  const { api, people } = useWorkspace();
  const search = useSignal("");
  const found = useSignal<readonly ProfileBody[]>([]);
  const problem = useSignal<string | null>(null);
  const typed = search.value.trim();

  useEffect(() => {
    let isCurrent = true;
    const ask = async () => {
      try {
        const { results } = await api.users({ search: typed, limit: 20 });
        if (!isCurrent) return;
        people.learn(results);
        found.value = results;
        problem.value = null;
      } catch (error) {
        if (isCurrent) problem.value = problemText(error);
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [api, people, typed, found, problem]);

  const field = useRef<HTMLInputElement>(null);
  const choose = (username: string) => {
    search.value = "";
    pick(username);
    // The button that was pressed may be gone. By touch the keyboard would come up for nothing.
    if (!isTouch.matches) field.current?.focus();
  };
  const offered = found.value.filter(({ username }) => !except.includes(username));
  const isOffered = found.value.some(({ username }) => username === typed);
  return (
    <div class="people-picker">
      <label class="field">
        <span>Search people or type a name</span>
        <input
          ref={field}
          type="search"
          autofocus={isFirst}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // It never sends the form around it: what is half chosen is not made.
            event.preventDefault();
            if (typed !== "" && !isComposingKey(event)) choose(typed);
          }}
        />
      </label>
      {problem.value !== null && (
        <p class="alert" role="alert">
          {problem.value}
        </p>
      )}
      <ul class="people">
        {offered.map((profile) => (
          <li key={profile.id}>
            <button type="button" class="person" onClick={() => choose(profile.username)}>
              <Avatar name={displayName(profile)} of={profile.username} image={imageOf(people, profile.username)} />
              <span class="person-name" dir="auto">
                {displayName(profile)}
              </span>
              {displayName(profile) !== profile.username && <bdi class="muted">{profile.username}</bdi>}
            </button>
          </li>
        ))}
        {typed !== "" && !isOffered && (
          <li>
            <button type="button" class="person" onClick={() => choose(typed)}>
              <Avatar name={typed} />
              <span class="person-name" dir="auto">
                {typedLabel(typed)}
              </span>
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}
