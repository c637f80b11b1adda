import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** As of a common phone. */
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** The key that ends a composition, as the browsers tell it: Chromium and Firefox while it goes on, Safari when it is over. */
const COMPOSING = [
  ["that says that it composes", { isComposing: true, keyCode: 229 }],
  ["that says so by its code alone", { isComposing: false, keyCode: 229 }],
] as const;

interface FieldInPage {
  dispatchEvent(event: unknown): boolean;
  readonly ownerDocument: { readonly defaultView: { KeyboardEvent: new (type: string, init: object) => unknown } };
}

async function pressComposing(field: Locator, key: string, flags: { isComposing: boolean; keyCode: number }) {
  const init = { key, bubbles: true, cancelable: true, ...flags };
  await field.evaluate((element: FieldInPage, init) => {
    element.dispatchEvent(new element.ownerDocument.defaultView.KeyboardEvent("keydown", init));
  }, init);
}

onStage("keys and focus", {}, (stage) => {
  it.each(COMPOSING)("an input method's Enter %s neither sends, nor chooses, nor closes", async (_how, flags) => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.composer.fill("にほ");
    await pressComposing(alice.composer, "Enter", flags);
    expect(await alice.texts()).toEqual([]);
    expect(await alice.composer.inputValue()).toBe("にほ");

    await alice.button("New conversation").click();
    const search = alice.dialog("New conversation").getByRole("searchbox");
    await search.fill("に");
    await pressComposing(search, "Enter", flags);
    await pressComposing(search, "Escape", flags);
    await alice.dialog("New conversation").waitFor();
    expect(await search.inputValue()).toBe("に");
    await alice.button("New group").click();
    const name = alice.dialog("New group").getByRole("textbox", { name: "Group name" });
    await name.fill("に");
    await pressComposing(name, "Enter", flags);
    await alice.focused(name).waitFor();
  });

  it.each(COMPOSING)("an input method's Escape %s drops neither an edit nor a link", async (_how, flags) => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("first");
    await alice.message("first").getByRole("img", { name: "Stored" }).waitFor();
    await alice.act(alice.message("first"), "Edit");
    await pressComposing(alice.composer, "Escape", flags);
    expect(await alice.button("Cancel editing").count()).toBe(1);
    await alice.button("Cancel editing").click();
    await alice.button("Add a link to media").click();
    const link = alice.page.getByRole("textbox", { name: "Media link" });
    await link.fill("https://x.example");
    await pressComposing(link, "Escape", flags);
    expect(await link.inputValue()).toBe("https://x.example");
    // A link alone is half a message: Enter goes on to its words.
    await link.press("Enter");
    await alice.focused(alice.composer).waitFor();
    expect(await alice.texts()).toEqual(["first"]);
  });

  it("a new conversation begins with typing whom it is with, and Enter without a name does nothing", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.button("New conversation").click();
    const search = alice.dialog("New conversation").getByRole("searchbox");
    await alice.focused(search).waitFor();
    await alice.page.keyboard.press("Enter");
    await alice.dialog("New conversation").waitFor();
    await alice.page.keyboard.type(bob.name);
    await alice.page.keyboard.press("Enter");
    await alice.page.getByRole("heading", { level: 2, name: bob.name }).waitFor();
  });

  it("Enter makes no group of a name alone: it goes on to its members", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.button("New conversation").click();
    await alice.button("New group").click();
    const dialog = alice.dialog("New group");
    await alice.focused(dialog.getByRole("textbox", { name: "Group name" })).waitFor();
    await alice.page.keyboard.type("Garden");
    await alice.page.keyboard.press("Enter");
    await alice.focused(dialog.getByRole("searchbox")).waitFor();
    await alice.page.keyboard.press("Enter");
    await alice.page.keyboard.type(bob.name);
    await alice.page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: `Remove ${bob.name}` }).waitFor();
    expect(await alice.conversation("Garden").count()).toBe(0);
    await dialog.getByRole("button", { name: "Create group" }).click();
    await alice.button("Members: 2").waitFor();
  });

  it("a dialog without a field begins where Enter does nothing that cannot be undone", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("to stay");
    await alice.message("to stay").getByRole("img", { name: "Stored" }).waitFor();
    await alice.act(alice.message("to stay"), "Pin");
    await alice.button("Pinned messages: 1").click();
    await alice.dialog("Pinned messages").waitFor();
    await alice.page.keyboard.press("Enter");
    await alice.dialog("Pinned messages").waitFor();
    await alice.page.keyboard.press("Escape");
    await alice.act(alice.message("to stay"), "Delete");
    await alice.dialog("Delete this message?").waitFor();
    await alice.page.keyboard.press("Enter");
    await alice.dialog("Delete this message?").waitFor({ state: "detached" });
    expect(await alice.texts()).toEqual(["to stay"]);
  });
});

onStage("by touch", {}, (stage) => {
  async function onThePhone(): Promise<[Person, Person]> {
    const alice = await (await stage().visitor("alice", PHONE)).signIn();
    const [bob] = await stage().people("bob");
    await alice.open(bob.name);
    return [alice, bob];
  }

  it("Enter begins a new line, and a button sends", async () => {
    const [alice, bob] = await onThePhone();
    await alice.composer.tap();
    await alice.page.keyboard.type("one");
    await alice.page.keyboard.press("Enter");
    await alice.page.keyboard.type("two");
    expect(await alice.texts()).toEqual([]);
    await alice.button("Send").tap();
    await eventually(() => alice.texts()).toEqual(["one\ntwo"]);
    await bob.open(alice.name);
    await eventually(() => bob.texts()).toEqual(["one\ntwo"]);
  });

  it("opening a room brings no keyboard up, answering does", async () => {
    const [alice] = await onThePhone();
    expect(await alice.focused(alice.composer).count()).toBe(0);
    await alice.composer.fill("touch me");
    await alice.button("Send").tap();
    const message = alice.message("touch me");
    await message.getByRole("img", { name: "Stored" }).waitFor();
    await message.locator(".message-text").tap();
    await message.getByRole("button", { name: "Reply", exact: true }).tap();
    await alice.focused(alice.composer).waitFor();
  });

  it("no field is so small that a phone zooms into it", async () => {
    const [alice] = await onThePhone();
    const sizes = () =>
      alice.page.evaluate<number[]>(
        `[...document.querySelectorAll("input, select, textarea")].map((field) => parseFloat(getComputedStyle(field).fontSize))`,
      );
    const all: number[] = [];
    await alice.button("Add a link to media").tap();
    all.push(...(await sizes()));
    await alice.button("Wire").tap();
    await alice.page.getByRole("complementary", { name: "Wire" }).waitFor();
    all.push(...(await sizes()));
    await alice.button("Close the wire").tap();
    await alice.button("Back to conversations").tap();
    await alice.button("New conversation").tap();
    all.push(...(await sizes()));
    await alice.button("New group").tap();
    all.push(...(await sizes()));
    expect(all.length).toBeGreaterThan(8);
    for (const size of all) expect(size).toBeGreaterThanOrEqual(16);
  });
});
