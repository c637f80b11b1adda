import { useSignal } from "@preact/signals";
import { keepComposing } from "../keys.ts";
import { developmentSecret, signIn } from "../session.ts";
import { Icon } from "./icon.tsx";
import { ThemeButton } from "./theme-button.tsx";

export function SignIn({ notice, isBusy }: { notice: string | null; isBusy: boolean }) {
  const name = useSignal("");
  const secret = useSignal("");
  const known = developmentSecret.value;
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.value.trim() === "") return;
    const typed = secret.value.trim();
    void signIn(name.value.trim(), typed === "" ? known : typed);
  };
  return (
    <main class="sign-in">
      <div class="sign-in-corner">
        <ThemeButton />
      </div>
      <form class="sign-in-form" onSubmit={submit} onKeyDown={keepComposing}>
        <img class="sign-in-mark" src="./favicon.svg" alt="" width="48" height="48" />
        <h1>Parley</h1>
        <p class="muted">
          Conversations over plain WebSockets. Choose a name to begin; there is no password in development.
        </p>
        <label class="field">
          <span>Your name</span>
          <input
            name="name"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            maxLength={128}
            autofocus
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
        </label>
        {known === null && <SecretField secret={secret} />}
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Signing in…" : "Sign in"}
        </button>
        {notice !== null && (
          <p class="alert" role="alert">
            {notice}
          </p>
        )}
        <p class="hint">
          <Icon name="members" />
          <span>
            Every tab can be somebody else. <NewTabLink>Open another one</NewTabLink> and talk to yourself.
          </span>
        </p>
      </form>
    </main>
  );
}

/** Whoever may read the server's log is at the machine that it is developed on. */
function SecretField({ secret }: { secret: { value: string } }) {
  return (
    <div class="field">
      <label for="secret">Secret of this server</label>
      <input
        id="secret"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        maxLength={256}
        aria-describedby="secret-hint"
        value={secret.value}
        onInput={(event) => {
          secret.value = event.currentTarget.value;
        }}
      />
      <small id="secret-hint" class="muted">
        It stands in the server's log, in the address of this page: <code>{location.host}/#dev=…</code>. Open that
        address, or copy here what follows <code>dev=</code>.
      </small>
    </div>
  );
}

/** Without an opener, so that the new tab has a session of its own; with the secret that it needs for one. */
export function NewTabLink({ children }: { children: string }) {
  const secret = developmentSecret.value;
  return (
    <a href={secret === null ? "./" : `./#dev=${encodeURIComponent(secret)}`} target="_blank" rel="noopener">
      {children}
    </a>
  );
}
