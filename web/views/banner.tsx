import { displayName } from "../people.ts";
import { goTo } from "../route.ts";
import { signOut } from "../session.ts";
import { useWorkspace } from "../workspace.ts";
import { Avatar } from "./avatar.tsx";
import { Icon, IconButton } from "./icon.tsx";
import { ThemeButton } from "./theme-button.tsx";

export function Banner() {
  const { people, console: wireConsole } = useWorkspace();
  const { me } = people;
  const isWireOpen = wireConsole.isOpen.value;
  const leave = () => {
    goTo(null);
    signOut();
  };
  return (
    <header class="banner">
      <h1 class="wordmark">
        <img src="/favicon.svg" alt="" width="22" height="22" />
        <span>Parley</span>
      </h1>
      <button type="button" class="wire-toggle" aria-pressed={isWireOpen} onClick={() => wireConsole.toggle()}>
        <Icon name="wire" />
        <span>Wire</span>
      </button>
      <ThemeButton />
      <span class="whoami" title={`Signed in as ${me.username}`}>
        <Avatar name={displayName(me)} of={me.username} image={me.avatar} />
        <span class="whoami-name">{displayName(me)}</span>
      </span>
      <IconButton icon="signOut" label="Sign out" onClick={leave} />
    </header>
  );
}
