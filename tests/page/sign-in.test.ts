import { describe, expect, it } from "vitest";
import { SECRET, tokenFor } from "../support/stack.ts";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** What the browser says of an answer that the test asked for. */
const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/;

onStage("signing in to a server without a key", {}, (stage) => {
  it("takes a name, and leaves nothing behind when it is over", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.button("Sign out").click();
    await alice.page.getByRole("heading", { level: 1, name: "Parley" }).waitFor();
    await alice.page.reload();
    await alice.page.getByRole("textbox", { name: "Your name" }).waitFor();
    expect(await alice.page.evaluate("sessionStorage.length")).toBe(0);
    await eventually(() => alice.page.title()).toBe("Parley");
  });

  it("takes the secret of the log from the address, which does not keep it, or from a field", async () => {
    const { secret } = stage().server;
    const alice = await stage().visitor("alice");
    alice.expectTrouble(REFUSED);
    await alice.page.goto(alice.origin);
    const field = alice.page.getByRole("textbox", { name: "Secret of this server" });
    await alice.page.getByText("It stands in the server's log").waitFor();
    await alice.page.getByRole("textbox", { name: "Your name" }).fill(alice.name);
    await alice.button("Sign in").click();
    await alice.page.getByRole("alert").getByText("the server's log").waitFor();
    await field.fill("not the secret");
    await alice.button("Sign in").click();
    await alice.page.getByRole("alert").getByText("the server's log").waitFor();
    await field.fill(secret);
    await alice.button("Sign in").click();
    await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();

    const bob = await stage().visitor("bob");
    await bob.page.goto(`${bob.origin}/#dev=${secret}`);
    await bob.page.getByRole("textbox", { name: "Your name" }).waitFor();
    expect(bob.page.url()).toBe(`${bob.origin}/`);
    expect(await bob.page.getByRole("textbox", { name: "Secret of this server" }).count()).toBe(0);
    // Another tab is opened with it.
    const opening = bob.context.waitForEvent("page");
    await bob.page.getByRole("link", { name: /another one/ }).click();
    const other = await opening;
    await other.getByRole("textbox", { name: "Your name" }).fill(`other-${bob.name}`);
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("banner").getByText(`other-${bob.name}`, { exact: true }).waitFor();
  });

  it("refuses a name that cannot be one, and says why", async () => {
    const alice = await stage().visitor("not a name ");
    alice.expectTrouble(REFUSED);
    await alice.page.goto(alice.origin);
    await alice.page.getByRole("textbox", { name: "Your name" }).fill("not a name");
    await alice.button("Sign in").click();
    await alice.page
      .getByRole("alert")
      .getByText(/username/i)
      .waitFor();
    await alice.button("Sign in").waitFor();
  });

  it("outlives a reload: the person, the room and its messages", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("still here");
    await alice.message("still here").getByRole("img", { name: "Stored" }).waitFor();
    await alice.page.reload();
    await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();
    await alice.page.getByRole("heading", { level: 2, name: bob.name }).waitFor();
    await eventually(() => alice.texts()).toEqual(["still here"]);
    await alice.say("and again");
    await eventually(() => alice.texts()).toEqual(["still here", "and again"]);
  });

  it("is for a tab alone: another tab of the browser is somebody else", async () => {
    const [alice] = await stage().people("alice");
    const opening = alice.context.waitForEvent("page");
    await alice.page.getByRole("link", { name: /another tab/ }).click();
    const other = await opening;
    await other.getByRole("textbox", { name: "Your name" }).waitFor();
  });
});

onStage("signing in to a server with a key", { JWT_SECRET: SECRET }, (stage) => {
  it("says what to do where a name is not enough", async () => {
    const alice = await stage().visitor("alice");
    alice.expectTrouble(REFUSED);
    await alice.page.goto(alice.origin);
    await alice.page.getByRole("textbox", { name: "Your name" }).fill(alice.name);
    await alice.button("Sign in").click();
    await alice.page.getByRole("alert").getByText("open this page with #token=<jwt>").waitFor();
  });

  it("takes a token from the address, which does not keep it", async () => {
    const alice = await stage().visitor("alice");
    const token = await tokenFor(alice.name, { name: "Alice Liddell" });
    await alice.page.goto(`${alice.origin}/#token=${token}`);
    await alice.page.getByRole("banner").getByText("Alice Liddell").waitFor();
    expect(alice.page.url()).toBe(`${alice.origin}/`);

    await alice.page.reload();
    await alice.page.getByRole("banner").getByText("Alice Liddell").waitFor();
  });

  it("goes to the room that stands behind the token in the address", async () => {
    const [alice, bob] = [await stage().visitor("alice"), await stage().visitor("bob")];
    await bob.page.goto(`${bob.origin}/#token=${await tokenFor(bob.name)}`);
    await bob.page.getByRole("banner").getByText(bob.name, { exact: true }).waitFor();
    await alice.page.goto(`${alice.origin}/#token=${await tokenFor(alice.name)}&room=${bob.name}`);
    await alice.say("straight to you");
    await bob.conversation(alice.name).getByText("1 unread").waitFor();
  });

  it.each([
    ["that has expired", () => tokenFor("alice", {}, -60)],
    ["that is none", async () => "not-a-token"],
  ])("refuses a token %s, and says so", async (_which, token) => {
    const alice = await stage().visitor("alice");
    alice.expectTrouble(REFUSED);
    await alice.page.goto(`${alice.origin}/#token=${await token()}`);
    await alice.page.getByRole("alert").getByText("The token was refused or has expired.").waitFor();
    expect(alice.page.url()).toBe(`${alice.origin}/`);
    await alice.page.reload();
    await alice.page.getByRole("textbox", { name: "Your name" }).waitFor();
    expect(await alice.page.getByRole("alert").count()).toBe(0);
  });

  describe("a link with a token, while somebody is signed in,", () => {
    const title = "Change who is signed in?";

    async function signedIn(person: Person): Promise<void> {
      await person.page.goto(`${person.origin}/#token=${await tokenFor(person.name)}`);
      await person.page.getByRole("banner").getByText(person.name, { exact: true }).waitFor();
    }

    it.each([
      ["behind the hash", "/#token="],
      ["in the query", "/?token="],
    ])("asks before it replaces them: %s", async (_where, address) => {
      const alice = await stage().visitor("alice");
      await signedIn(alice);
      const mallory = `mallory-of-${alice.name}`;
      await alice.page.goto(`${alice.origin}${address}${await tokenFor(mallory)}`);
      const question = alice.page.getByRole("alertdialog", { name: title });
      await question.getByText(mallory).first().waitFor();
      expect(alice.page.url()).not.toContain("token");
      await question.getByRole("button", { name: `Stay ${alice.name}` }).click();
      await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();
      await alice.page.reload();
      await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();

      await alice.page.goto(`${alice.origin}${address}${await tokenFor(mallory)}`);
      await question.getByRole("button", { name: `Sign in as ${mallory}` }).click();
      await alice.page.getByRole("banner").getByText(mallory, { exact: true }).waitFor();
    });

    it("asks nothing when it is their own, and keeps the room", async () => {
      const [alice, bob] = [await stage().visitor("alice"), await stage().visitor("bob")];
      await signedIn(bob);
      await signedIn(alice);
      await alice.open(bob.name);
      await alice.page.goto(`${alice.origin}/#token=${await tokenFor(alice.name, { name: "Alice" })}`);
      await alice.say("still here");
      await bob.conversation("Alice").getByText("1 unread").waitFor();
      expect(alice.page.url()).toBe(`${alice.origin}/#/${bob.name}`);
      expect(await alice.page.getByRole("alertdialog").count()).toBe(0);
    });

    it("leaves them where they are when its token is refused", async () => {
      const alice = await stage().visitor("alice");
      alice.expectTrouble(REFUSED);
      await signedIn(alice);
      await alice.page.goto(`${alice.origin}/#token=${await tokenFor("mallory", {}, -60)}`);
      await alice.page.getByRole("status").getByText("The link that you followed signs nobody in.").waitFor();
      await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();
    });
  });
});
