import { afterAll, beforeAll, expect, it } from "vitest";
import { startTcpProxy, type TcpProxy } from "../channel-layer/tcp-proxy.ts";
import { eventually, LINE_TROUBLE, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Milliseconds: a page that was refused several times waits some seconds before it tries again. */
const COMING_BACK = 60_000;
/** By the server; the other may have read it by then. */
const STORED = /^(Stored|Read by)/;
const GONE = /status of 40[34]/;

onStage("what somebody has begun", {}, (stage) => {
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await startTcpProxy(new URL(stage().server.url));
  });
  afterAll(() => proxy.close());

  /** Alice, behind the line that a test can cut, in a room with Bob; and Carol, to whom she can turn. */
  async function talk(): Promise<[Person, Person, Person]> {
    const alice = await stage().visitor("alice", { origin: `http://127.0.0.1:${proxy.port}` });
    alice.expectTrouble(LINE_TROUBLE);
    await alice.signIn();
    const [bob, carol] = await stage().people("bob", "carol");
    await Promise.all([alice.open(bob.name), bob.open(alice.name)]);
    await alice.say("before");
    await alice.message("before").getByRole("img", { name: STORED }).waitFor();
    return [alice, bob, carol];
  }

  async function goOffline(alice: Person): Promise<void> {
    proxy.cut();
    await alice.status.getByText("No connection").waitFor();
  }

  async function goTo(alice: Person, room: string): Promise<void> {
    await alice.page.goto(`${alice.origin}/#/${room}`);
    await alice.page.getByRole("heading", { level: 2, name: room }).waitFor();
  }

  it("as an edit is the same edit after another room and after a reload, and posts nothing", async () => {
    const [alice, bob, carol] = await talk();
    await alice.composer.fill("half a message");
    await alice.act(alice.message("before"), "Edit");
    await alice.composer.fill("edited");
    await goTo(alice, carol.name);
    await eventually(() => alice.composer.inputValue()).toBe("");
    await goTo(alice, bob.name);
    await alice.page.getByText("Editing your message").waitFor();
    await alice.page.reload();
    await alice.page.getByText("Editing your message").waitFor();
    await eventually(() => alice.composer.inputValue()).toBe("edited");
    await alice.message("before").waitFor();
    await alice.composer.press("Enter");
    await eventually(() => bob.texts()).toEqual(["edited"]);
    // And then what had been begun before it.
    await eventually(() => alice.composer.inputValue()).toBe("half a message");
  });

  it("as an answer is an answer to the same message after a reload", async () => {
    const [alice, bob] = await talk();
    await alice.act(alice.message("before"), "Reply");
    await alice.composer.fill("an answer");
    await alice.page.reload();
    await alice.page.getByText("Replying to yourself").waitFor();
    await eventually(() => alice.composer.inputValue()).toBe("an answer");
    await alice.composer.press("Enter");
    await bob.message("an answer").getByRole("button", { name: "before" }).waitFor();
  });

  it("is found again when one edit is left for another thing", async () => {
    const [alice] = await talk();
    await alice.act(alice.message("before"), "Edit");
    await alice.composer.fill("half an edit");
    await alice.act(alice.message("before"), "Reply");
    await eventually(() => alice.composer.inputValue()).toBe("");
    await alice.act(alice.message("before"), "Edit");
    await eventually(() => alice.composer.inputValue()).toBe("half an edit");
  });

  it(
    "as messages waits through a reload without a line, and each is sent once",
    async () => {
      const [alice, bob] = await talk();
      await goOffline(alice);
      await alice.say("one");
      await alice.say("two");
      proxy.restore();
      // The page itself comes, but no socket of it: what waits is shown before it is sent.
      await alice.page.route(/\/api\//, (route) => route.abort());
      await alice.page.reload();
      await alice.page.unroute(/\/api\//);
      await eventually(() => bob.texts(), COMING_BACK).toEqual(["before", "one", "two"]);
      await eventually(() => alice.log.getByRole("img", { name: "Waiting" }).count()).toBe(0);
      await alice.say("three");
      await eventually(() => bob.texts()).toEqual(["before", "one", "two", "three"]);
    },
    COMING_BACK,
  );

  it(
    "as messages is sent once, though two tabs have it",
    async () => {
      const [alice, bob] = await talk();
      await goOffline(alice);
      await alice.say("only once");
      await alice.message("only once").getByRole("img", { name: "Waiting" }).waitFor();
      // A tab of the same browser, on a line that holds, as the same person; beside it the first comes back.
      const kept = await alice.page.evaluate<[string, string][]>("Object.entries({ ...sessionStorage })");
      proxy.restore();
      const other = await alice.context.newPage();
      await other.addInitScript(
        `for (const [key, value] of ${JSON.stringify(kept)}) sessionStorage.setItem(key, value);`,
      );
      await other.goto(`${alice.origin}/#/${bob.name}`);
      await other.getByText("only once").first().waitFor();
      await eventually(() => bob.texts(), COMING_BACK).toEqual(["before", "only once"]);
      await eventually(() => alice.status.innerText(), COMING_BACK).toBe("");
      for (const page of [alice.page, other]) {
        await eventually(() => page.getByRole("log").locator(".message-text").allTextContents()).toEqual([
          "before",
          "only once",
        ]);
        await eventually(() => page.getByRole("img", { name: "Waiting" }).count()).toBe(0);
      }
      await bob.say("heard it");
      await eventually(() => bob.texts()).toEqual(["before", "only once", "heard it"]);
    },
    COMING_BACK,
  );

  it(
    "as a deletion, an edit and a pin is done when the line is back, from another room",
    async () => {
      const [alice, bob, carol] = await talk();
      await alice.say("to edit");
      await alice.say("to pin");
      await alice.message("to pin").getByRole("img", { name: STORED }).waitFor();
      await goOffline(alice);
      await alice.act(alice.message("before"), "Delete");
      await alice.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
      await alice.message("before").getByText("deletion waits").waitFor();
      await alice.act(alice.message("to edit"), "Edit");
      await alice.composer.fill("was edited");
      await alice.button("Save").click();
      await alice.act(alice.message("to pin"), "Pin");
      await alice.status.getByText("3 changes wait to be made.").waitFor();
      await goTo(alice, carol.name);
      proxy.restore();
      await eventually(() => bob.texts(), COMING_BACK).toEqual(["This message was deleted", "was edited", "to pin"]);
      await bob.message("to pin").getByRole("img", { name: "Pinned" }).waitFor();
    },
    COMING_BACK,
  );

  it("as an edit that is refused comes back with its text and the reason, in another room and after a reload too", async () => {
    const [alice, bob, carol] = await talk();
    const text = "x".repeat(10_001);
    await alice.act(alice.message("before"), "Edit");
    await alice.composer.fill(text);
    await alice.button("Save").click();
    const failed = alice.log.getByRole("article", { name: "You, not saved" });
    await failed.getByText(/10,?000/).waitFor();
    await goTo(alice, carol.name);
    await alice.page.reload();
    const notice = alice.page.getByRole("status").filter({ hasText: "Your edit was not saved" });
    await notice.getByRole("button", { name: "Show" }).click();
    await failed.getByRole("button", { name: "Change" }).click();
    await alice.page.getByText("Editing your message").waitFor();
    await eventually(() => alice.composer.inputValue()).toBe(text);
    await alice.composer.fill("short enough");
    await alice.button("Save").click();
    await eventually(() => bob.texts()).toEqual(["short enough"]);
    await failed.waitFor({ state: "detached" });
  });

  it("is told of as not sent where somebody is no member any more", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    for (const person of [alice, bob]) person.expectTrouble(GONE);
    await alice.button("New conversation").click();
    await alice.button("New group").click();
    const dialog = alice.dialog("New group");
    await dialog.getByRole("textbox", { name: "Group name" }).fill("Cellar");
    await dialog.getByRole("searchbox").fill(bob.name);
    await dialog.getByRole("button", { name: bob.name, exact: true }).click();
    await dialog.getByRole("button", { name: "Create group" }).click();
    await bob.conversation("Cellar").click();
    await bob.composer.fill("half a thought");
    await alice.button("Members: 2").click();
    await alice.button(`Remove ${bob.name}`).click();
    await bob.page.getByText("You are no longer a member of this group.").waitFor();
    await bob.page.getByText("half a thought").waitFor();
  });

  it("as a group and as a new name of one is there when the dialog is opened again, after a reload too", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    const dialog = alice.dialog("New group");
    const open = async () => {
      await alice.button("New conversation").click();
      await alice.button("New group").click();
    };
    await open();
    await dialog.getByRole("textbox", { name: "Group name" }).fill("Half a group");
    await dialog.getByRole("searchbox").fill(bob.name);
    await dialog.getByRole("button", { name: bob.name, exact: true }).click();
    await dialog.getByRole("button", { name: `Remove ${bob.name}` }).waitFor();
    await alice.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await alice.page.reload();
    await open();
    expect(await dialog.getByRole("textbox", { name: "Group name" }).inputValue()).toBe("Half a group");
    await dialog.getByRole("button", { name: `Remove ${bob.name}` }).waitFor();
    await dialog.getByRole("button", { name: "Create group" }).click();
    await alice.button("Members: 2").click();
    await alice.dialog("Members").getByRole("textbox", { name: "Group name" }).fill("Another na");
    await alice.page.keyboard.press("Escape");
    await alice.button("Members: 2").click();
    await eventually(() => alice.dialog("Members").getByRole("textbox", { name: "Group name" }).inputValue()).toBe(
      "Another na",
    );
  });

  it("outlives the end of a session, and signing out asks before it is gone", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.composer.fill("half a message");
    // The token is gone, as when it is refused: nobody signed out.
    await alice.page.evaluate("sessionStorage.clear()");
    await alice.page.reload();
    await alice.page.getByRole("textbox", { name: "Secret of this server" }).fill(stage().server.secret);
    await alice.page.getByRole("textbox", { name: "Your name" }).fill(alice.name);
    await alice.button("Sign in").click();
    await eventually(() => alice.composer.inputValue()).toBe("half a message");

    await alice.button("Sign out").click();
    const dialog = alice.dialog("Sign out?");
    await dialog.getByText("1 unfinished text").waitFor();
    await dialog.getByRole("button", { name: "Stay" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await alice.composer.inputValue()).toBe("half a message");
    await alice.button("Sign out").click();
    await dialog.getByRole("button", { name: "Sign out" }).click();
    await alice.page.getByRole("textbox", { name: "Your name" }).waitFor();
    expect(await alice.page.evaluate("localStorage.length + sessionStorage.length")).toBe(0);
  });

  it("is somebody else's in another session of the same browser", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.composer.fill("for Alice's eyes");
    await alice.page.evaluate("sessionStorage.clear()");
    await alice.page.reload();
    await alice.page.getByRole("textbox", { name: "Secret of this server" }).fill(stage().server.secret);
    await alice.page.getByRole("textbox", { name: "Your name" }).fill(`eve-of-${alice.name}`);
    await alice.button("Sign in").click();
    await alice.composer.waitFor();
    expect(await alice.composer.inputValue()).toBe("");
  });
});
