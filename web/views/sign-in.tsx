import { useSignal } from "@preact/signals";
import { signIn } from "../session.ts";
import { Icon } from "./icon.tsx";
import { ThemeButton } from "./theme-button.tsx";

export function SignIn({ notice, isBusy }: { notice: string | null; isBusy: boolean }) {
  const name = useSignal("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.value.trim() !== "") void signIn(name.value.trim());
  };
  return (
    <main class="sign-in">
      <div class="sign-in-corner">
        <ThemeButton />
      </div>
      <form class="sign-in-form" onSubmit={submit}>
        <img class="sign-in-mark" src="/favicon.svg" alt="" width="48" height="48" />
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

/** Without an opener, so that the new tab has a session of its own. */
export function NewTabLink({ children }: { children: string }) {
  return (
    <a href="/" target="_blank" rel="noopener">
      {children}
    </a>
  );
}
