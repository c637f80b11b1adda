import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Goes on with Tab until that element has the focus. */
async function tabTo(person: Person, element: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if ((await person.focused(element).count()) > 0) return;
    await person.page.keyboard.press("Tab");
  }
  throw new Error("Tab does not lead there");
}

onStage("with the keyboard alone", {}, (stage) => {
  it("somebody signs in, starts a conversation, sends and edits", async () => {
    const [bob] = await stage().people("bob");
    const alice = await stage().visitor("alice");
    await alice.page.goto(`${alice.origin}/#dev=${stage().server.secret}`);
    const { keyboard } = alice.page;
    await alice.page.getByRole("textbox", { name: "Your name" }).waitFor();
    await tabTo(alice, alice.page.getByRole("textbox", { name: "Your name" }));
    await keyboard.type(alice.name);
    await keyboard.press("Enter");
    await alice.page.getByRole("banner").waitFor();

    await tabTo(alice, alice.button("New conversation"));
    await keyboard.press("Enter");
    await alice.dialog("New conversation").waitFor();
    await tabTo(alice, alice.dialog("New conversation").getByRole("searchbox"));
    await keyboard.type(bob.name);
    await keyboard.press("Enter");

    // A room that opens has the focus where one writes.
    await alice.focused(alice.composer).waitFor();
    await keyboard.type("first");
    await keyboard.press("Enter");
    await keyboard.type("secnd");
    await keyboard.press("Enter");
    await alice.message("secnd").getByRole("img", { name: "Stored" }).waitFor();

    await keyboard.press("ArrowUp");
    await eventually(() => alice.composer.inputValue()).toBe("secnd");
    await keyboard.press("Escape");
    await eventually(() => alice.composer.inputValue()).toBe("");
    await alice.button("Cancel editing").waitFor({ state: "detached" });
    await keyboard.press("ArrowUp");
    await eventually(() => alice.composer.inputValue()).toBe("secnd");
    await keyboard.press("ControlOrMeta+a");
    await keyboard.type("second");
    await keyboard.press("Enter");
    await alice.message("second").getByText("edited", { exact: true }).waitFor();
    await bob.open(alice.name);
    await eventually(() => bob.texts()).toEqual(["first", "second"]);
  });

  it("somebody goes from message to message, and finds what can be done with each", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("upper");
    await alice.say("lower");
    await alice.message("lower").getByRole("img", { name: "Stored" }).waitFor();
    const { keyboard } = alice.page;
    await alice.log.focus();
    await keyboard.press("ArrowUp");
    await keyboard.press("ArrowUp");
    await alice.focused(alice.message("upper")).waitFor();
    await tabTo(alice, alice.message("upper").getByRole("button", { name: "Pin" }));
    expect(await alice.message("upper").getByRole("button", { name: "Pin" }).isVisible()).toBe(true);
    await keyboard.press("Enter");
    await alice.message("upper").getByRole("img", { name: "Pinned" }).waitFor();
  });

  it("somebody deletes a message, and Escape closes a dialog without doing anything", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("short-lived");
    await alice.message("short-lived").getByRole("img", { name: "Stored" }).waitFor();
    const { keyboard } = alice.page;
    const dialog = alice.dialog("Delete this message?");
    const ask = async () => {
      await alice.log.focus();
      await keyboard.press("ArrowUp");
      await tabTo(alice, alice.message("short-lived").getByRole("button", { name: "Delete" }));
      await keyboard.press("Enter");
      await dialog.waitFor();
    };
    await ask();
    await keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await alice.texts()).toEqual(["short-lived"]);
    await ask();
    await tabTo(alice, dialog.getByRole("button", { name: "Delete" }));
    await keyboard.press("Enter");
    await alice.message("This message was deleted").waitFor();
  });
});
