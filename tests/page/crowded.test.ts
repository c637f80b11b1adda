import { expect, it } from "vitest";
import { eventually } from "./person.ts";
import { onStage } from "./stage.ts";

/** A tab with a room in view has three: the list, the badge and the room. */
const SOCKETS_OF_A_TAB = "3";

onStage("one tab more than the server admits of a person", { MAX_SOCKETS_PER_USER: SOCKETS_OF_A_TAB }, (stage) => {
  it("says so, offers to try again, and opens when another tab is closed", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("in the first tab");
    await alice
      .message("in the first tab")
      .getByRole("img", { name: /^(Stored|Read by)/ })
      .waitFor();
    const kept = await alice.page.evaluate<[string, string][]>("Object.entries({ ...sessionStorage })");
    const other = await alice.context.newPage();
    await other.addInitScript(
      `for (const [key, value] of ${JSON.stringify(kept)}) sessionStorage.setItem(key, value);`,
    );
    await other.goto(`${alice.origin}/#/${bob.name}`);
    const status = other.getByRole("status", { name: "Connection" });
    await status.getByText("Too many tabs are open as you.").waitFor();
    expect(await other.getByRole("main").getByText("online", { exact: true }).count()).toBe(0);
    await other.getByRole("textbox", { name: "Message", exact: true }).fill("from the second");
    await other.getByRole("textbox", { name: "Message", exact: true }).press("Enter");
    await alice.page.close();
    await status.getByRole("button", { name: "Try now" }).click();
    await eventually(() => status.innerText()).toBe("");
    await bob.open(alice.name);
    await eventually(() => bob.texts()).toEqual(["in the first tab", "from the second"]);
  });
});
