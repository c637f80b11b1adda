import type { BrowserContextOptions } from "playwright-core";
import { expect, it } from "vitest";
import { violations } from "./axe.ts";
import { LINE_TROUBLE, type Person } from "./person.ts";
import { onStage, type Stage } from "./stage.ts";

const LOOKS: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["narrow", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
];

/** A conversation with something of each kind in it. */
async function liveliness(stage: Stage, alice: Person): Promise<Person> {
  const [bob] = await stage.people("bob");
  await bob.open(alice.name);
  await bob.say("a message");
  await bob.say("another, to be deleted");
  await bob.act(bob.message("another, to be deleted"), "Delete");
  await bob.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
  await bob.act(bob.message("a message"), "Pin");
  await alice.open(bob.name);
  await alice.act(alice.message("a message"), "Reply");
  await alice.say("an answer");
  await alice
    .message("an answer")
    .getByRole("img", { name: /^Read by/ })
    .waitFor();
  return bob;
}

onStage("axe finds nothing serious", {}, (stage) => {
  it.each(LOOKS)("when signing in and with nothing there yet: %s", async (_look, options) => {
    const alice = await stage().visitor("alice", options);
    await alice.page.goto(alice.origin);
    await alice.button("Sign in").waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await alice.signIn();
    await alice.page.getByText("No conversations yet.").waitFor();
    expect(await violations(alice.page)).toEqual([]);
  });

  it.each(LOOKS)("in a room, while answering, editing and linking: %s", async (_look, options) => {
    const alice = await (await stage().visitor("alice", options)).signIn();
    await liveliness(stage(), alice);
    expect(await violations(alice.page)).toEqual([]);
    await alice.act(alice.message("an answer"), "Edit");
    expect(await violations(alice.page)).toEqual([]);
    await alice.button("Cancel editing").click();
    await alice.button("Add a link to media").click();
    await alice.page.getByRole("textbox", { name: "Media link" }).fill("nonsense");
    expect(await violations(alice.page)).toEqual([]);
  });

  it.each(LOOKS)("in dialogs: %s", async (_look, options) => {
    const alice = await (await stage().visitor("alice", options)).signIn();
    const bob = await liveliness(stage(), alice);
    await alice.button("Pinned messages: 1").click();
    await alice.dialog("Pinned messages").waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await alice.dialog("Pinned messages").getByRole("button", { name: "Close" }).click();
    await alice.act(alice.message("an answer"), "Delete");
    await alice.dialog("Delete this message?").waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await alice.dialog("Delete this message?").getByRole("button", { name: "Cancel" }).click();

    await alice.leaveRoom();
    await alice.button("New conversation").click();
    await alice.dialog("New conversation").getByRole("button", { name: bob.name, exact: true }).waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await alice.button("New group").click();
    const dialog = alice.dialog("New group");
    await dialog.getByRole("textbox", { name: "Group name" }).fill("Everybody");
    await dialog.getByRole("button", { name: bob.name, exact: true }).click();
    await dialog.getByRole("button", { name: `Remove ${bob.name}` }).waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await dialog.getByRole("button", { name: "Create group" }).click();
    await alice.button("Members: 2").click();
    await alice.dialog("Members").waitFor();
    expect(await violations(alice.page)).toEqual([]);
  });

  it.each(LOOKS)("with the wire open, and with no connection: %s", async (_look, options) => {
    const alice = await (await stage().visitor("alice", options)).signIn();
    await liveliness(stage(), alice);
    await alice.button("Wire").click();
    await alice.button("Send frame").click();
    await alice.page.getByRole("complementary", { name: "Wire" }).getByText("Done").waitFor();
    expect(await violations(alice.page)).toEqual([]);
    await alice.button("Close the wire").click();
    alice.expectTrouble(LINE_TROUBLE);
    await alice.context.setOffline(true);
    await alice.button("Try now").waitFor();
    await alice.say("waits");
    await alice.message("waits").getByRole("img", { name: "Waiting" }).waitFor();
    expect(await violations(alice.page)).toEqual([]);
  });
});
