import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

async function makeGroup(creator: Person, name: string, members: readonly Person[]): Promise<void> {
  await creator.button("New conversation").click();
  await creator.dialog("New conversation").getByRole("button", { name: "New group" }).click();
  const dialog = creator.dialog("New group");
  await dialog.getByRole("textbox", { name: "Group name" }).fill(name);
  for (const member of members) {
    await dialog.getByRole("searchbox").fill(member.name);
    await dialog.getByRole("button", { name: member.name, exact: true }).click();
    await dialog.getByRole("button", { name: `Remove ${member.name}` }).waitFor();
  }
  await dialog.getByRole("button", { name: "Create group" }).click();
  await creator.page.getByRole("heading", { level: 2, name }).waitFor();
}

onStage("a group", {}, (stage) => {
  it("is made, and all of its members talk in it", async () => {
    const [alice, bob, carol] = await stage().people("alice", "bob", "carol");
    await makeGroup(alice, "Garden", [bob, carol]);
    await alice.button("Members: 3").waitFor();
    await alice.say("welcome");
    for (const person of [bob, carol]) await person.conversation("Garden").getByText("1 unread").waitFor();
    for (const person of [bob, carol]) {
      await person.conversation("Garden").click();
      await person.message("welcome").waitFor();
      await person.say(`${person.name} is here`);
    }
    await eventually(() => bob.texts()).toEqual(["welcome", `${bob.name} is here`, `${carol.name} is here`]);
    // Who said what is to be seen.
    await bob.message(`${carol.name} is here`).getByText(carol.name, { exact: true }).waitFor();
    await alice.presence.getByText(`${bob.name} and ${carol.name} here`).waitFor();
  });

  it("is given another person by its creator, who sees what was said before", async () => {
    const [alice, bob, carol] = await stage().people("alice", "bob", "carol");
    await makeGroup(alice, "Kitchen", [bob]);
    await alice.say("before");
    await alice.button("Members: 2").click();
    const dialog = alice.dialog("Members");
    await dialog.getByRole("searchbox").fill(carol.name);
    await dialog.getByRole("button", { name: carol.name, exact: true }).click();
    await dialog.getByRole("list", { name: "Members of the group" }).getByText(carol.name).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await alice.button("Members: 3").waitFor();
    await carol.conversation("Kitchen").click();
    await eventually(() => carol.texts()).toEqual(["before"]);
  });

  it("is renamed by its creator, and everybody sees the new name", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await makeGroup(alice, "Old name", [bob]);
    await bob.conversation("Old name").click();
    await bob.page.getByRole("heading", { level: 2, name: "Old name" }).waitFor();
    await alice.button("Members: 2").click();
    await alice.dialog("Members").getByRole("textbox", { name: "Group name" }).fill("New name");
    await alice.button("Rename").click();
    for (const person of [alice, bob]) {
      await person.page.locator("main h2").getByText("New name", { exact: true }).waitFor();
      await person.conversation("New name").waitFor();
    }
  });

  it("shows its members to all, and the means to manage it to its creator alone", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await makeGroup(alice, "Cellar", [bob]);
    await bob.conversation("Cellar").click();
    await bob.button("Members: 2").click();
    const dialog = bob.dialog("Members");
    const members = dialog.getByRole("list", { name: "Members of the group" });
    await members.getByText(alice.name).waitFor();
    await members.getByText(bob.name).waitFor();
    await dialog.getByRole("button", { name: "Leave group" }).waitFor();
    expect(await dialog.getByRole("button", { name: /^Remove|^Rename/ }).count()).toBe(0);
    expect(await dialog.getByRole("searchbox").count()).toBe(0);
  });

  it("is closed at once for somebody who is removed", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await makeGroup(alice, "Attic", [bob]);
    await bob.conversation("Attic").click();
    await bob.composer.waitFor();
    await alice.button("Members: 2").click();
    await alice.button(`Remove ${bob.name}`).click();
    await bob.page.getByText("You are no longer a member of this group.").waitFor();
    await bob.conversation("Attic").waitFor({ state: "detached" });
    await bob.composer.waitFor({ state: "detached" });
    await alice.dialog("Members").getByRole("button", { name: "Close" }).click();
    await alice.button("Members: 1").waitFor();
  });

  it("is left after being asked once more", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await makeGroup(alice, "Balcony", [bob]);
    await bob.conversation("Balcony").click();
    await bob.button("Members: 2").click();
    await bob.button("Leave group").click();
    await bob.button("Stay").click();
    await bob.button("Leave group").click();
    await bob.button("Leave").click();
    await bob.conversation("Balcony").waitFor({ state: "detached" });
    await alice.button("Members: 1").waitFor();
  });

  it("has its creator delete what others said", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await makeGroup(alice, "Lobby", [bob]);
    await bob.conversation("Lobby").click();
    await bob.say("out of place");
    await alice.act(alice.message("out of place"), "Delete");
    await alice.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
    await bob.message("This message was deleted").waitFor();
  });
});
