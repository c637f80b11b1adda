import { expect, it } from "vitest";
import { startPathProxy } from "./path-proxy.ts";
import { eventually } from "./person.ts";
import { onStage } from "./stage.ts";

onStage("a page behind a path", {}, (stage) => {
  it("is shown, and talks to its server there", async () => {
    const proxy = await startPathProxy(stage().server.url, "/team/chat/");
    try {
      const [bob] = await stage().people("bob");
      // Without the slash at its end: the addresses that a person opens have one of their own behind it.
      const alice = await stage().visitor("alice", { origin: proxy.url.slice(0, -1) });
      const missed: string[] = [];
      alice.page.on("response", (answer) => {
        if (answer.status() === 404) missed.push(answer.url());
      });
      await alice.page.goto(`${proxy.url}#dev=${stage().server.secret}`);
      await alice.page.getByRole("textbox", { name: "Your name" }).fill(alice.name);
      await alice.button("Sign in").click();
      await alice.page.getByRole("banner").getByText(alice.name, { exact: true }).waitFor();
      await alice.open(bob.name);
      await alice.say("from behind a path");
      await bob.conversation(alice.name).getByText("1 unread").waitFor();
      await bob.open(alice.name);
      await eventually(() => bob.texts()).toEqual(["from behind a path"]);
      await bob.say("heard");
      await alice.message("heard").waitFor();
      await alice.conversation(bob.name).waitFor();
      expect(await alice.page.locator("link[rel=icon]").getAttribute("href")).not.toMatch(/^\//);

      // A link of the page leads to the page.
      await alice.button("Sign out").click();
      const opening = alice.context.waitForEvent("page");
      await alice.page.getByRole("link", { name: /another one/ }).click();
      const other = await opening;
      await other.getByRole("textbox", { name: "Your name" }).waitFor();
      expect(other.url()).toMatch(proxy.url);
      expect(missed).toEqual([]);
    } finally {
      await proxy.close();
    }
  });
});
