import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

onStage("a message", {}, (stage) => {
  async function talk(): Promise<[Person, Person]> {
    const [alice, bob] = await stage().people("alice", "bob");
    await Promise.all([alice.open(bob.name), bob.open(alice.name)]);
    await alice.say("first");
    await alice.say("second");
    await bob.message("second").waitFor();
    return [alice, bob];
  }

  it("is edited by its sender alone, and both see the new text", async () => {
    const [alice, bob] = await talk();
    await bob.message("first").hover();
    await bob.message("first").getByRole("button", { name: "Reply" }).waitFor();
    expect(await bob.message("first").getByRole("button", { name: "Edit" }).count()).toBe(0);
    expect(await bob.message("first").getByRole("button", { name: "Delete" }).count()).toBe(0);

    await alice.act(alice.message("first"), "Edit");
    await eventually(() => alice.composer.inputValue()).toBe("first");
    await alice.composer.fill("the very first");
    await alice.button("Save").click();
    for (const person of [alice, bob]) {
      await person.message("the very first").getByText("edited", { exact: true }).waitFor();
      await eventually(() => person.texts()).toEqual(["the very first", "second"]);
    }
    expect(await alice.composer.inputValue()).toBe("");
  });

  it("is deleted after a confirmation, and keeps its place for both", async () => {
    const [alice, bob] = await talk();
    await alice.act(alice.message("first"), "Delete");
    const dialog = alice.dialog("Delete this message?");
    await dialog.getByText("first").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await alice.texts()).toEqual(["first", "second"]);

    await alice.act(alice.message("first"), "Delete");
    await dialog.getByRole("button", { name: "Delete" }).click();
    for (const person of [alice, bob]) {
      await eventually(() => person.texts()).toEqual(["This message was deleted", "second"]);
    }
  });

  it("is pinned and unpinned by anybody, and found in the list of those that are pinned", async () => {
    const [alice, bob] = await talk();
    await bob.act(bob.message("first"), "Pin");
    await alice.message("first").getByRole("img", { name: "Pinned" }).waitFor();
    await alice.button("Pinned messages: 1").click();
    await alice.dialog("Pinned messages").getByRole("button", { name: "first" }).click();
    await alice.dialog("Pinned messages").waitFor({ state: "detached" });
    await alice.focused(alice.message("first")).waitFor();

    await alice.act(alice.message("first"), "Unpin");
    await bob.message("first").getByRole("img", { name: "Pinned" }).waitFor({ state: "detached" });
    await bob.button(/^Pinned messages/).waitFor({ state: "detached" });
  });

  it("is answered with a quote of it, which leads to it", async () => {
    const [alice, bob] = await talk();
    await bob.act(bob.message("first"), "Reply");
    await bob.page.getByText(`Replying to ${alice.name}`).waitFor();
    await bob.say("an answer");
    const quote = alice.message("an answer").getByRole("button", { name: "first" });
    await quote.getByText("You").waitFor();
    await quote.click();
    await alice.focused(alice.message("first")).waitFor();
    expect(await bob.page.getByText(`Replying to ${alice.name}`).count()).toBe(0);
  });

  it("is not answered after all when the reply is cancelled", async () => {
    const [alice, bob] = await talk();
    await bob.act(bob.message("first"), "Reply");
    await bob.button("Cancel reply").click();
    await bob.say("by itself");
    await alice.message("by itself").waitFor();
    expect(await alice.message("by itself").getByRole("button", { name: "first" }).count()).toBe(0);
  });

  it("shows its changes to somebody who opens the room later", async () => {
    const [alice, bob] = await talk();
    await bob.leaveRoom();
    await alice.act(alice.message("first"), "Edit");
    await alice.say("changed");
    await alice.message("changed").waitFor();
    await alice.act(alice.message("second"), "Delete");
    await alice.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
    await alice.message("This message was deleted").waitFor();
    await bob.open(alice.name);
    await eventually(() => bob.texts()).toEqual(["changed", "This message was deleted"]);
  });
});
