import { useSignal } from "@preact/signals";
import { displayName, imageOf } from "../people.ts";
import { plainName } from "../words.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";
import { Icon, IconButton } from "./icon.tsx";
import { Name } from "./name.tsx";
import { leave, SignOut } from "./sign-out.tsx";
import { ThemeButton } from "./theme-button.tsx";

export function Banner() {
  const workspace = useWorkspace();
  const { people, console: wireConsole } = workspace;
  const { me } = people;
  const isWireOpen = wireConsole.isOpen.value;
  const isAsked = useSignal(false);
  const signOut = () => {
    const { waiting, drafts } = workspace.begun();
    if (waiting + drafts > 0) isAsked.value = true;
    else leave(workspace);
  };
  return (
    <header class="banner">
      <h1 class="wordmark">
        <img src="./favicon.svg" alt="" width="22" height="22" />
        <span>Parley</span>
      </h1>
      <button type="button" class="wire-toggle" aria-pressed={isWireOpen} onClick={() => wireConsole.toggle()}>
        <Icon name="wire" />
        <span>Wire</span>
      </button>
      <ThemeButton />
      <span class="whoami" title={`Signed in as ${plainName(me.username)}`}>
        <Avatar name={displayName(me)} of={me.username} image={imageOf(people, me.username)} />
        <span class="whoami-name">
          <Name>{displayName(me)}</Name>
        </span>
      </span>
      <IconButton icon="signOut" label="Sign out" onClick={signOut} />
      {isAsked.value && (
        <SignOut
          onClosed={() => {
            isAsked.value = false;
          }}
        />
      )}
    </header>
  );
}
