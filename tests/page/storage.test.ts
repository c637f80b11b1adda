import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

const NOT_KEPT = "This browser does not let the page keep anything";

/** As browsers do that keep nothing: some throw when the store is asked for, some when something is put there. */
const REFUSALS: readonly (readonly [string, string])[] = [
  [
    "that blocks every store",
    `for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });`,
  ],
  [
    "that has no place left",
    `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };`,
  ],
  [
    "that throws at everything",
    `for (const name of ["getItem", "setItem", "removeItem", "key"])
      Storage.prototype[name] = () => { throw new Error("no storage"); };`,
  ],
];

onStage("a browser", {}, (stage) => {
  it.each(REFUSALS)("%s: the page works, and says so once", async (_what, script) => {
    const alice = await stage().visitor("alice");
    await alice.context.addInitScript(script);
    await alice.signIn();
    const [bob, carol] = await stage().people("bob", "carol");
    const notice = alice.page.getByText(NOT_KEPT);
    await notice.waitFor();
    await alice.page.getByRole("status").filter({ hasText: NOT_KEPT }).getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
    await alice.button(/^Use (dark|light) theme$/).click();
    await alice.open(bob.name);
    await alice.say("without a store");
    await bob.open(alice.name);
    await bob.message("without a store").waitFor();

    // What is begun is kept as long as the page is open, and whoever closes it is asked.
    await alice.composer.fill("half a message");
    await alice.open(carol.name);
    await eventually(() => alice.composer.inputValue()).toBe("");
    await alice.open(bob.name);
    await eventually(() => alice.composer.inputValue()).toBe("half a message");
    expect(await notice.count()).toBe(0);
    expect(await asksBeforeClosing(alice)).toBe(true);
    await alice.composer.fill("");
    expect(await asksBeforeClosing(alice)).toBe(false);
  });

  it("that keeps what is begun closes a page without a question", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.composer.fill("half a message");
    expect(await asksBeforeClosing(alice)).toBe(false);
    expect(await alice.page.getByText(NOT_KEPT).count()).toBe(0);
  });

  it("with something else in its store goes on", async () => {
    const alice = await stage().visitor("alice");
    await alice.context.addInitScript(`
      sessionStorage.setItem("parley:session", "{no JSON");
      localStorage.setItem("parley:theme", "purple");
      localStorage.setItem("parley:work:${alice.name}:draft:bob", "[]");
      localStorage.setItem("parley:work:${alice.name}:outbox:x", "null");`);
    await alice.signIn();
    await alice.page.goto(`${alice.origin}/#/${alice.name}`);
    await alice.composer.waitFor();
  });
});

function asksBeforeClosing(person: Person): Promise<boolean> {
  return person.page.evaluate<boolean>(`(() => {
    const event = new Event("beforeunload", { cancelable: true });
    dispatchEvent(event);
    return event.defaultPrevented;
  })()`);
}
