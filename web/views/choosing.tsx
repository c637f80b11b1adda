import type { ProfileBody } from "../../client/index.ts";
import { displayName } from "../people.ts";
import { choose } from "../session.ts";
import { Name } from "./name.tsx";

/** Somebody is signed in, and followed a link that signs in somebody else: whoever made the link is not to decide. */
export function Choosing({ me, other }: { me: ProfileBody; other: ProfileBody }) {
  return (
    <main class="sign-in">
      <div class="sign-in-form" role="alertdialog" aria-labelledby="choosing-title" aria-describedby="choosing-text">
        <h1 id="choosing-title">Change who is signed in?</h1>
        <p id="choosing-text">
          You are signed in as <strong>{fullName(me)}</strong>. The link that you followed signs you in as{" "}
          <strong>{fullName(other)}</strong>. If you did not ask for that, stay who you are: what you write as somebody
          else is theirs to read.
        </p>
        <button type="button" class="primary" autofocus onClick={() => choose("mine")}>
          Stay <Name>{displayName(me)}</Name>
        </button>
        <button type="button" onClick={() => choose("the link's")}>
          Sign in as <Name>{displayName(other)}</Name>
        </button>
      </div>
    </main>
  );
}

function fullName(profile: ProfileBody) {
  const name = displayName(profile);
  return (
    <>
      <Name>{name}</Name>
      {name !== profile.username && (
        <>
          {" "}
          (<Name>{profile.username}</Name>)
        </>
      )}
    </>
  );
}
