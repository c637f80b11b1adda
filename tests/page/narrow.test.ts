import { expect, it } from "vitest";
import type { Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** As of a common phone. */
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

onStage("a page as wide as a phone", {}, (stage) => {
  async function onThePhone(): Promise<Person> {
    const person = await stage().visitor("alice", PHONE);
    return person.signIn();
  }

  it("shows the list or the room, one at a time, and goes back and forth between them", async () => {
    const [bob] = await stage().people("bob");
    const alice = await onThePhone();
    await bob.open(alice.name);
    await bob.say("are you on your way?");
    await alice.conversation(bob.name).tap();
    await alice.message("are you on your way?").waitFor();
    await alice.conversations.waitFor({ state: "hidden" });
    expect(await alice.isWiderThanScreen()).toBe(false);

    await alice.composer.fill("yes");
    await alice.button("Send").tap();
    await bob.message("yes").waitFor();

    await alice.button("Back to conversations").tap();
    await alice.conversations.waitFor();
    await alice.composer.waitFor({ state: "hidden" });
    expect(await alice.isWiderThanScreen()).toBe(false);
    await alice.page.goBack();
    await alice.composer.waitFor();
  });

  it("lets a message's buttons be reached by touch", async () => {
    const [bob] = await stage().people("bob");
    const alice = await onThePhone();
    await alice.open(bob.name);
    await alice.composer.fill("touch me");
    await alice.button("Send").tap();
    const message = alice.message("touch me");
    await message.getByRole("img", { name: "Stored" }).waitFor();
    await message.locator(".message-text").tap();
    await message.getByRole("button", { name: "Pin", exact: true }).tap();
    await message.getByRole("img", { name: "Pinned" }).waitFor();
  });

  it("keeps the wire within the screen", async () => {
    const alice = await onThePhone();
    await alice.button("Wire").tap();
    await alice.page.getByRole("complementary", { name: "Wire" }).waitFor();
    expect(await alice.isWiderThanScreen()).toBe(false);
    await alice.button("Close the wire").tap();
    await alice.conversations.waitFor();
  });
});
