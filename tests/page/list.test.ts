import { afterAll, beforeAll, expect, it } from "vitest";
import { startTcpProxy, type TcpProxy } from "../channel-layer/tcp-proxy.ts";
import { numbered, talkerIn } from "./crowd.ts";
import { eventually, LINE_TROUBLE, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** The addresses of the list, or of a conversation in it, that this page has asked for. */
function readingsOf(person: Person): string[] {
  const readings: string[] = [];
  person.page.on("request", (request) => {
    if (request.url().includes("/api/conversations")) readings.push(request.url());
  });
  return readings;
}

function listsIn(readings: readonly string[]): number {
  return readings.filter((url) => url.includes("?limit=")).length;
}

onStage("the list of conversations", { SEND_RATE: "100000", SEND_BURST: "100000" }, (stage) => {
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await startTcpProxy(new URL(stage().server.url));
  });
  afterAll(() => proxy.close());

  it("follows from what is said, without being read again", async () => {
    const alice = await stage().visitor("alice");
    const readings = readingsOf(alice);
    await alice.signIn();
    const [carol] = await stage().people("carol");
    const name = `bob-of-${alice.name}`;
    const bob = await talkerIn(stage().server, name, alice.name);
    await bob.say(["the first"]);
    await alice.conversation(name).getByText("1 unread").waitFor();
    await alice.open(carol.name);
    // When the page opens, and when the socket is in its rooms.
    await eventually(() => listsIn(readings)).toBe(2);
    const opened = readings.length;
    await bob.say(numbered("message", 200));
    await alice.conversation(name).getByText("201 unread").waitFor();
    await eventually(() => alice.conversation(name).innerText()).toContain("message 200");
    expect(readings.slice(opened)).toEqual([]);

    // The conversation that is read: the badge goes, and stays away while more is said.
    await alice.conversation(name).click();
    await alice.message("message 200").waitFor();
    await eventually(() => alice.conversations.getByText("unread").count()).toBe(0);
    const before = readings.length;
    await bob.say(numbered("more", 200));
    await alice.message("more 200").waitFor();
    await eventually(() => alice.conversations.getByText("unread").count()).toBe(0);
    expect(readings.length - before).toBeLessThanOrEqual(1);
    await bob.close();
  });

  it("shows a conversation that begins, and one that is first again", async () => {
    const [alice, bob, carol] = await stage().people("alice", "bob", "carol");
    for (const person of [bob, carol]) {
      await person.open(alice.name);
      await person.say(`from ${person.name}`);
      await alice.conversation(person.name).getByText("1 unread").waitFor();
    }
    const names = () => alice.conversations.locator(".conversation-name").allInnerTexts();
    expect(await names()).toEqual([carol.name, bob.name]);
    await bob.say("me again");
    await eventually(names).toEqual([bob.name, carol.name]);
    await bob.act(bob.message("me again"), "Edit");
    await bob.say("me, edited");
    await eventually(() => alice.conversation(bob.name).innerText()).toContain("me, edited");
    await bob.act(bob.message("me, edited"), "Delete");
    await bob.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
    await alice.conversation(bob.name).getByText("Message deleted").waitFor();
    await alice.conversation(bob.name).getByText("1 unread").waitFor();
  });

  it("is read once after a gap, and knows what was missed", async () => {
    const alice = await stage().visitor("alice", { origin: `http://127.0.0.1:${proxy.port}` });
    alice.expectTrouble(LINE_TROUBLE);
    await alice.signIn();
    const name = `bob-of-${alice.name}`;
    const bob = await talkerIn(stage().server, name, alice.name);
    await bob.say(["before"]);
    await alice.conversation(name).getByText("1 unread").waitFor();
    proxy.cut();
    await alice.status.getByText("No connection").waitFor();
    await bob.say(numbered("missed", 20));
    const readings = readingsOf(alice);
    proxy.restore();
    await alice.conversation(name).getByText("21 unread").waitFor();
    await eventually(() => alice.status.innerText()).toBe("");
    await bob.say(["after"]);
    await alice.conversation(name).getByText("22 unread").waitFor();
    expect(readings.length).toBeLessThanOrEqual(1);
    await bob.close();
  });

  it("learns what was read on another device", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await bob.open(alice.name);
    for (const text of ["one", "two", "three"]) await bob.say(text);
    await alice.conversation(bob.name).getByText("3 unread").waitFor();
    const phone = await alice.context.newPage();
    const kept = await alice.page.evaluate<[string, string][]>("Object.entries({ ...sessionStorage })");
    await phone.addInitScript(
      `for (const [key, value] of ${JSON.stringify(kept)}) sessionStorage.setItem(key, value);`,
    );
    await phone.goto(`${alice.origin}/#/${bob.name}`);
    await phone.getByText("three").first().waitFor();
    await phone.bringToFront();
    await eventually(() => alice.conversations.getByText("unread").count()).toBe(0);
  });
});
