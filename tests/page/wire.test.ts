import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

onStage("the wire panel", {}, (stage) => {
  const panel = (person: Person): Locator => person.page.getByRole("complementary", { name: "Wire" });
  const frames = (person: Person): Locator => panel(person).getByRole("list", { name: "Frames" }).locator("details");
  const frame = (person: Person, direction: "sent" | "received", words: string): Locator =>
    frames(person)
      .filter({ has: person.page.getByText(direction, { exact: true }) })
      .filter({ hasText: words });

  async function openWire(): Promise<[Person, Person]> {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.button("Wire").click();
    await panel(alice).waitFor();
    return [alice, bob];
  }

  it("shows the frames of both directions as they went, and the whole of one that is opened", async () => {
    const [alice] = await openWire();
    await alice.say("look at the wire");
    const sent = frame(alice, "sent", "look at the wire");
    await sent.waitFor();
    const received = frame(alice, "received", "look at the wire").filter({ hasText: "chat_message" });
    await received.first().locator("summary").click();
    const text = await received.first().locator("pre").innerText();
    expect(JSON.parse(text)).toMatchObject({ type: "chat_message", message: "look at the wire", seq: 1 });
  });

  it("keeps the newest frame in view while many come, until somebody scrolls up", async () => {
    const [alice] = await openWire();
    for (let count = 1; count <= 10; count += 1) await alice.say(`message ${count}`);
    await alice.message("message 10").getByRole("img", { name: "Stored" }).waitFor();
    const list = panel(alice).getByRole("list", { name: "Frames" });
    const toTheEnd = () =>
      list.evaluate((box: { scrollHeight: number; scrollTop: number; clientHeight: number }) =>
        Math.round(box.scrollHeight - box.scrollTop - box.clientHeight),
      );
    await eventually(toTheEnd).toBe(0);
    await list.hover();
    await alice.page.mouse.wheel(0, -300);
    await eventually(toTheEnd).toBeGreaterThan(200);
    await alice.say("the last one");
    await frame(alice, "received", "the last one").first().waitFor();
    expect(await toTheEnd()).toBeGreaterThan(200);
  });

  it("records nothing while it is paused, and can be cleared", async () => {
    const [alice] = await openWire();
    await alice.say("recorded");
    await frame(alice, "sent", "recorded").waitFor();
    await panel(alice).getByRole("button", { name: "Pause" }).click();
    await alice.say("unheard");
    await alice.message("unheard").getByRole("img", { name: "Stored" }).waitFor();
    await panel(alice).getByRole("button", { name: "Continue" }).click();
    await alice.say("heard again");
    await frame(alice, "received", "heard again").first().waitFor();
    expect(await frames(alice).filter({ hasText: '"unheard"' }).filter({ hasText: "client_id" }).count()).toBe(0);
    // Paused again: what her message still causes would be recorded behind the clearing.
    await panel(alice).getByRole("button", { name: "Pause" }).click();
    await panel(alice).getByRole("button", { name: "Clear" }).click();
    await eventually(() => frames(alice).count()).toBe(0);
  });

  it("shows one path alone when it is asked to", async () => {
    const [alice, bob] = await openWire();
    await alice.say("here");
    await frame(alice, "sent", "here").waitFor();
    await panel(alice).getByRole("combobox", { name: "Path" }).selectOption(`/ws/${bob.name}/`);
    await eventually(async () => new Set(await frames(alice).locator(".frame-path").allTextContents())).toEqual(
      new Set([`/ws/${bob.name}/`]),
    );
  });

  it("speaks channels: a frame of one's own is sent, and what is refused is explained", async () => {
    const [alice, bob] = await openWire();
    await bob.open(alice.name);
    await panel(alice).getByRole("textbox", { name: "Data" }).fill('{"message":"by hand"}');
    await alice.button("Send frame").click();
    await bob.message("by hand").waitFor();
    await panel(alice).getByText("Done").waitFor();
    await panel(alice).getByRole("textbox", { name: "Data" }).fill('{"message":""}');
    await alice.button("Send frame").click();
    await panel(alice).getByText("Refused: invalid_frame").waitFor();
    await panel(alice).getByRole("textbox", { name: "Data" }).fill("no JSON");
    await alice.button("Send frame").click();
    await panel(alice).getByText("Refused: invalid_json").waitFor();
  });

  it.each([
    ["Live chat · /chat", "chat:message_send", "/chat"],
    ["Rooms · /rooms", "sendMessage", "/rooms"],
  ])("speaks %s: its example is acknowledged, and reaches the room", async (dialect, event, path) => {
    const [alice, bob] = await openWire();
    await bob.open(alice.name);
    await bob.say("so that there is a conversation");
    await alice.message("so that there is a conversation").waitFor();
    await alice.conversation(bob.name).waitFor();
    await panel(alice).getByRole("combobox", { name: "Dialect" }).selectOption(dialect);
    await panel(alice).getByRole("combobox", { name: "Event" }).selectOption(event);
    await panel(alice).getByRole("combobox", { name: "Path" }).selectOption("");
    await alice.button("Send frame").click();
    await panel(alice).getByText("Done").waitFor();
    await bob.message("Hello from the wire").waitFor();
    await frame(alice, "sent", event).filter({ hasText: path }).waitFor();
  });

  it("shows a refusal of an event, with its code", async () => {
    const [alice] = await openWire();
    await panel(alice).getByRole("combobox", { name: "Dialect" }).selectOption("Live chat · /chat");
    await panel(alice).getByRole("textbox", { name: "Data" }).fill('{"receiverId":"nobody-at-all","content":"hm"}');
    await alice.button("Send frame").click();
    await panel(alice)
      .getByText(/Refused: (not_found|forbidden|invalid_frame)/)
      .waitFor();
  });
});
