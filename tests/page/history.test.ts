import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { numbered, talkerIn } from "./crowd.ts";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Messages in the document at once, at most, however long the conversation is. */
const BOUND = 400;

/** Pixels from the top of the log to that of the message; what is a fraction apart is at the same place. */
async function placeOf(person: Person, message: Locator): Promise<number> {
  const [log, box] = await Promise.all([person.log.boundingBox(), message.boundingBox()]);
  if (log === null || box === null) throw new Error("what is not drawn has no place");
  return Math.round(box.y - log.y);
}

/** As with a wheel: the pointer is on the log. */
async function scroll(person: Person, pixels: number): Promise<void> {
  await person.log.hover();
  await person.page.mouse.wheel(0, pixels);
}

onStage("a long conversation", { SEND_RATE: "100000", SEND_BURST: "100000" }, (stage) => {
  it("opens at its end, and brings older messages as somebody scrolls up, up to the first", async () => {
    const [alice] = await stage().people("alice");
    const bob = await talkerIn(stage().server, `bob-of-${alice.name}`, alice.name);
    const said = numbered("message", 180);
    await bob.say(said);
    await alice.open(`bob-of-${alice.name}`);
    await alice.message("message 180").waitFor();
    await eventually(() => alice.message("message 180").isVisible()).toBe(true);
    expect(await alice.message("message 1").count()).toBe(0);

    const beginning = alice.log.getByText("The beginning");
    await expect
      .poll(
        async () => {
          await scroll(alice, -1_500);
          return (await beginning.count()) > 0 && (await alice.message("message 1").count()) > 0;
        },
        { timeout: 15_000 },
      )
      .toBe(true);
    const seen = await alice.texts();
    expect(seen).toEqual(said.slice(0, seen.length));
    await bob.close();
  });

  it("keeps what is in view at its place while older messages come above it", async () => {
    const [alice] = await stage().people("alice");
    const bob = await talkerIn(stage().server, `bob-of-${alice.name}`, alice.name);
    await bob.say(numbered("message", 120));
    // The older ones come when they are let through.
    let letThrough = () => {};
    const wait = new Promise<void>((resolve) => {
      letThrough = resolve;
    });
    await alice.page.route(/\/messages\?.*before=/, async (route) => {
      await wait;
      await route.continue();
    });
    await alice.open(`bob-of-${alice.name}`);
    await alice.message("message 120").waitFor();
    const anchor = alice.message("message 73");
    await expect
      .poll(
        async () => {
          await scroll(alice, -2_000);
          return alice.log.evaluate((log) => log.scrollTop);
        },
        { timeout: 15_000 },
      )
      .toBe(0);
    const before = await placeOf(alice, anchor);
    letThrough();
    await eventually(() => alice.log.evaluate((log) => log.scrollTop)).toBeGreaterThan(500);
    expect(Math.abs((await placeOf(alice, anchor)) - before)).toBeLessThanOrEqual(1);
    await bob.close();
  });

  it("does not move under somebody who reads above, and tells them how many came", async () => {
    const [alice] = await stage().people("alice");
    const bob = await talkerIn(stage().server, `bob-of-${alice.name}`, alice.name);
    await bob.say(numbered("message", 60));
    await alice.open(`bob-of-${alice.name}`);
    await alice.message("message 60").waitFor();
    await scroll(alice, -600);
    await alice.button("Go to the newest message").waitFor();
    const anchor = alice.message("message 45");
    const before = await placeOf(alice, anchor);
    await bob.say(["news 1", "news 2"]);
    await alice.button("2 new messages").waitFor();
    expect(await placeOf(alice, anchor)).toBe(before);
    await alice.conversation(`bob-of-${alice.name}`).getByText("2 unread").waitFor();

    await alice.button("2 new messages").click();
    await eventually(() => placeOf(alice, alice.message("news 2"))).toBeGreaterThan(0);
    await alice.button("2 new messages").waitFor({ state: "detached" });
    await eventually(() => alice.conversations.getByText("unread").count()).toBe(0);
    await bob.close();
  });

  it("finds the message that a quote leads to, far above", async () => {
    const [alice] = await stage().people("alice");
    const bob = await talkerIn(stage().server, `bob-of-${alice.name}`, alice.name);
    await bob.say(["the first of all"]);
    await alice.open(`bob-of-${alice.name}`);
    await alice.act(alice.message("the first of all"), "Reply");
    await bob.say(numbered("message", 400));
    await alice.say("an answer to the first");
    await alice.message("an answer to the first").getByRole("img", { name: "Stored" }).waitFor();
    await alice.page.reload();
    await alice.message("an answer to the first").getByRole("button", { name: "An earlier message" }).click();
    await alice.focused(alice.message("the first of all")).waitFor();
    await bob.close();
  });

  it("of 10,000 messages that come one by one leaves few of them in the document, and can be written in", async () => {
    const [alice] = await stage().people("alice");
    const bob = await talkerIn(stage().server, `bob-of-${alice.name}`, alice.name);
    await alice.open(`bob-of-${alice.name}`);
    const said = numbered("message", 10_000);
    let most = 0;
    const articles = () => alice.log.getByRole("article").count();
    for (let start = 0; start < said.length; start += 1_000) {
      await bob.say(said.slice(start, start + 1_000));
      await alice.message(`message ${start + 1_000}`).waitFor();
      most = Math.max(most, await articles());
    }
    await eventually(articles).toBeLessThan(BOUND);
    expect(most).toBeLessThan(2 * BOUND);
    // Nobody scrolled: the end is in view.
    expect(await alice.button(/newest|new message/).count()).toBe(0);

    await alice.composer.pressSequentially("still typing");
    await alice.composer.press("Enter");
    await alice.message("still typing").getByRole("img", { name: "Stored" }).waitFor();
    await eventually(() => placeOf(alice, alice.message("still typing"))).toBeGreaterThan(0);

    // The first of them is where it was, too.
    await alice.log.focus();
    await alice.page.keyboard.press("Home");
    await alice.message("message 1").waitFor();
    await eventually(() => placeOf(alice, alice.message("message 1"))).toBeGreaterThan(-1);
    await eventually(articles).toBeLessThan(BOUND);
    await bob.close();
  }, 90_000);
});
