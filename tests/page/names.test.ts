import { expect, it } from "vitest";
import { createApi } from "../../client/index.ts";
import { SECRET, tokenFor } from "../support/stack.ts";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Turns all that follows it from right to left, to the end of its paragraph. */
const OVERRIDE = "\u202e";
/** A name that would turn what stands behind it, and one that ends what would keep it in. */
const NAMES = [`Eve${OVERRIDE}`, `\u2069${OVERRIDE}Eve`, `\u202d\u2066Eve`] as const;

/** On which side of a text's element its first letter stands, for each element of the selector. */
const sides = (selector: string) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const text = walker.nextNode();
  const range = document.createRange();
  const box = (start) => { range.setStart(text, start); range.setEnd(text, start + 1); return range.getBoundingClientRect().left; };
  return box(0) < box(text.length - 1) ? "left to right" : "right to left";
})`;

/** The server takes no such name any more; a database of an earlier one, or another back end, may have it. */
async function hearNamed(person: Person, word: string, name: string): Promise<void> {
  const inJson = JSON.stringify(name).slice(1, -1);
  await person.page.route(/\/api\//, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(word, inJson) });
  });
  await person.page.routeWebSocket(/.*/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((text) => socket.send(String(text).replaceAll(word, inJson)));
  });
}

onStage("a name", { JWT_SECRET: SECRET }, (stage) => {
  async function signedIn(name: string, claims: Record<string, unknown> = {}): Promise<Person> {
    const person = await stage().visitor(name);
    await person.page.goto(`${person.origin}/#token=${await tokenFor(person.name, claims)}`);
    await person.page.getByRole("banner").waitFor();
    return person;
  }

  it.each(NAMES)("that turns letters (%j) turns nothing but itself", async (name) => {
    const alice = await stage().visitor("alice");
    await hearNamed(alice, "Turning", name);
    await alice.page.goto(`${alice.origin}/#token=${await tokenFor(alice.name)}`);
    const eve = await signedIn("eve", { name: "Turning" });
    const token = await tokenFor(eve.name, { name: "Turning" });
    const { id } = await createApi({ url: stage().server.url, getToken: () => token }).createGroup({
      name: "Turning group",
      members: [alice.name],
    });
    await eve.open(id);
    await eve.say("pay 500 EUR to 12-34");
    const preview = alice.conversations.locator(".preview-text");
    await eventually(() => preview.allInnerTexts()).toEqual(["pay 500 EUR to 12-34"]);
    expect(await alice.page.evaluate(sides(".preview-text"))).toEqual(["left to right"]);
    await alice.conversations.getByRole("link").click();
    await alice.message("pay 500 EUR to 12-34").waitFor();
    await alice.act(alice.message("pay 500 EUR to 12-34"), "Reply");
    expect(await alice.page.evaluate(sides(".message-text, .intention .quote-text, .presence"))).toEqual(
      expect.not.arrayContaining(["right to left"]),
    );
    // Where only letters can stand, those that turn others are left out.
    const labels = await alice.page.evaluate<string[]>(
      `[...document.querySelectorAll("[aria-label], [title], [alt]")].flatMap((element) =>
        ["aria-label", "title", "alt"].map((name) => element.getAttribute(name) ?? ""))`,
    );
    for (const label of [...labels, await alice.page.title()]) expect(label).not.toMatch(/[\u202a-\u202e]/);
  });

  it("that is long leaves place for what was said", async () => {
    const alice = await signedIn("alice");
    const name = "A very long name that goes on and on ".repeat(4).trim();
    const token = await tokenFor(`eve-of-${alice.name}`, { name });
    const api = createApi({ url: stage().server.url, getToken: () => token });
    await api.me();
    const { id } = await api.createGroup({ name: "Group", members: [alice.name] });
    await fetch(`${stage().server.url}/api/rooms/${id}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ message: "what was said" }),
    });
    const text = alice.conversations.locator(".preview-text");
    await text.waitFor();
    const line = alice.conversations.locator(".conversation-preview");
    const [said, whole] = await Promise.all([text.boundingBox(), line.boundingBox()]);
    expect(said?.width ?? 0).toBeGreaterThan((whole?.width ?? 0) / 2);
    expect(await alice.isWiderThanScreen()).toBe(false);
  });

  it.each([".", ".."])(
    "that is no name in an address (%s) is said to be none, and nothing is asked for it",
    async (name) => {
      const alice = await signedIn("alice");
      const asked: string[] = [];
      alice.page.on("request", (request) => asked.push(request.url()));
      alice.page.on("websocket", (socket) => asked.push(socket.url()));
      await alice.page.goto(`${alice.origin}/#/${name}`);
      await alice.page.getByRole("heading", { name: "This name cannot be opened" }).waitFor();
      await alice.button("Back to conversations").click();
      await alice.page.getByText("Choose a conversation, or start a new one.").waitFor();
      expect(asked.filter((url) => url.includes("/ws/") && !url.includes("notifications"))).toEqual([]);
    },
  );
});

onStage("text with addresses", {}, (stage) => {
  it("has them as links that tell nobody where they stood, and nothing else as one", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await Promise.all([alice.open(bob.name), bob.open(alice.name)]);
    const text = "see https://example.com/a_(b)?c=d. Or javascript:alert(1) or ftp://example.com";
    await alice.say(text);
    await bob.message(text).waitFor();
    const link = bob.message(text).locator(".message-text a");
    expect(await link.allInnerTexts()).toEqual(["https://example.com/a_(b)?c=d"]);
    expect(await link.getAttribute("href")).toBe("https://example.com/a_(b)?c=d");
    expect((await link.getAttribute("rel"))?.split(" ").sort()).toEqual(["nofollow", "noopener", "noreferrer"]);
    expect(await link.getAttribute("target")).toBe("_blank");
  });
});

onStage("with colours that the system says", {}, (stage) => {
  it("bubbles, badge, avatar and the open conversation are seen by their lines", async () => {
    const alice = await (await stage().visitor("alice", { forcedColors: "active" })).signIn();
    const [bob, carol] = await stage().people("bob", "carol");
    for (const person of [bob, carol]) {
      await person.open(alice.name);
      await person.say("hello");
    }
    await alice.open(bob.name);
    await alice.say("an answer");
    await alice.message("an answer").waitFor();
    await alice.conversation(carol.name).getByText("1 unread").waitFor();
    for (const selector of [".bubble", ".badge", ".conversation .avatar", '.conversation[aria-current="page"]']) {
      const width = await alice.page
        .locator(selector)
        .first()
        .evaluate(
          (element: object) =>
            (
              globalThis as unknown as { getComputedStyle(element: object): { borderTopWidth: string } }
            ).getComputedStyle(element).borderTopWidth,
        );
      expect(Number.parseFloat(width), selector).toBeGreaterThan(0);
    }
  });
});

onStage("dates", {}, (stage) => {
  it("are in the page's language, whatever the browser's is", async () => {
    const alice = await (await stage().visitor("alice", { locale: "de-DE" })).signIn();
    await alice.page.goto(`${alice.origin}/#/${alice.name}`);
    await alice.say("note");
    await alice.message("note").waitFor();
    const title = await alice.message("note").locator(".meta time").getAttribute("title");
    expect(title).toMatch(/(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day/);
  });
});
