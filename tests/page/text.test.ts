import { expect, it } from "vitest";
import { eventually } from "./person.ts";
import { onStage } from "./stage.ts";

/** Pixels by which what is in the log is wider than the log. */
const OVERFLOW = `(() => {
  const log = document.querySelector('[role="log"]');
  return log.scrollWidth - log.clientWidth;
})()`;

/** Of each message, on which side of it its last character stands. */
const ENDS = `[...document.querySelectorAll(".message-text")].map(({ firstChild: text }) => {
  const range = document.createRange();
  range.selectNodeContents(text);
  const whole = range.getBoundingClientRect();
  range.setStart(text, text.length - 1);
  return range.getBoundingClientRect().left - whole.left < whole.width / 2 ? "left" : "right";
})`;

onStage("what people write", {}, (stage) => {
  it.each([
    ["an element with a handler", `<img src=x onerror="document.title='owned'">`],
    ["a script", `<script>document.title = 'owned'</script>`],
    ["a link that is a script", "javascript:alert(1)"],
    ["an entity", "&lt;b&gt; & &amp;"],
  ])("is shown as the text it is: %s", async (_what, text) => {
    const [alice, bob] = await stage().people("alice", "bob");
    await bob.open(alice.name);
    await alice.open(bob.name);
    await alice.say(text);
    await bob.message(text).waitFor();
    await eventually(() => bob.conversation(alice.name).innerText()).toContain(text);
    expect(await bob.log.locator("article :is(img, script, a)").count()).toBe(0);
    expect(await bob.page.title()).not.toBe("owned");
  });

  it("keeps its lines and spaces, and is sent with them by Shift+Enter", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.composer.pressSequentially("one");
    await alice.composer.press("Shift+Enter");
    await alice.composer.pressSequentially("  two");
    await alice.composer.press("Enter");
    const text = alice.log.locator(".message-text");
    await eventually(() => text.allTextContents()).toEqual(["one\n  two"]);
    expect((await text.innerText()).split("\n")).toHaveLength(2);
  });

  it("stays in its place, however long its words are", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    const word = "x".repeat(3_000);
    await alice.open(bob.name);
    await alice.say(word);
    await alice.message(word).waitFor();
    expect(await alice.page.evaluate(OVERFLOW)).toBe(0);
    await alice.page.setViewportSize({ width: 390, height: 800 });
    expect(await alice.page.evaluate(OVERFLOW)).toBe(0);
    expect(await alice.isWiderThanScreen()).toBe(false);
  });

  it("runs from right to left where its letters do", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    for (const text of ["שלום, עולם!", "hello, world!"]) await alice.say(text);
    await eventually(() => alice.page.evaluate(ENDS)).toEqual(["left", "right"]);
  });

  it("that the server does not take is given back, with the reason, to be sent again or discarded", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    const text = "y".repeat(10_001);
    await alice.say(text);
    const failed = alice.log.getByRole("article", { name: "You, not sent" });
    await failed.getByText(/10,?000/).waitFor();
    await failed.getByRole("button", { name: "Discard" }).click();
    await failed.waitFor({ state: "detached" });
    await alice.say("shorter");
    await eventually(() => alice.texts()).toEqual(["shorter"]);
  });
});
