import { expect, it } from "vitest";
import { eventually } from "./person.ts";
import { onStage } from "./stage.ts";

onStage("two people at the page", {}, (stage) => {
  it("start a conversation by name and talk both ways", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.button("New conversation").click();
    const dialog = alice.dialog("New conversation");
    await dialog.getByRole("searchbox").fill(bob.name);
    await dialog.getByRole("button", { name: bob.name, exact: true }).click();
    await alice.page.getByRole("heading", { level: 2, name: bob.name }).waitFor();
    await alice.say("hello");

    await bob.conversation(alice.name).click();
    await bob.message("hello").waitFor();
    await bob.say("hello yourself");
    await eventually(() => alice.texts()).toEqual(["hello", "hello yourself"]);
    await eventually(() => bob.texts()).toEqual(["hello", "hello yourself"]);
  });

  it("write to somebody who was never here, and are told of a name that nobody can have", async () => {
    const [alice] = await stage().people("alice");
    await alice.button("New conversation").click();
    const search = alice.dialog("New conversation").getByRole("searchbox");
    await search.fill("not a name");
    await alice.dialog("New conversation").getByRole("button", { name: "Write to “not a name”" }).click();
    await alice.page.getByRole("heading", { name: "Nobody here" }).waitFor();
    await alice.button("Back to conversations").click();
    await alice.page.getByText("Choose a conversation, or start a new one.").waitFor();
  });

  it("see what is unread on the conversation and in the tab's title, and see it gone after reading", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.say("one");
    await alice.say("two");
    await bob.conversation(alice.name).getByText("2 unread").waitFor();
    await eventually(() => bob.page.title()).toBe("(2) Parley");

    await bob.conversation(alice.name).click();
    await bob.message("two").waitFor();
    await eventually(() => bob.conversations.getByText("unread").count()).toBe(0);
    await eventually(() => bob.page.title()).toBe("Parley");
    await alice
      .message("two")
      .getByRole("img", { name: `Read by ${bob.name}` })
      .waitFor();
  });

  it("see what is unread in another conversation while they are in one", async () => {
    const [alice, bob, carol] = await stage().people("alice", "bob", "carol");
    await alice.open(bob.name);
    await carol.open(alice.name);
    await carol.say("over here");
    await alice.conversation(carol.name).getByText("1 unread").waitFor();
    await eventually(() => alice.conversation(carol.name).innerText()).toContain("over here");
    expect(await alice.texts()).toEqual([]);
  });

  it("see that the other types, until they send, empty the field or leave it", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    const heard: boolean[] = [];
    alice.page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        const { type, is_typing: isTyping } = JSON.parse(payload.toString());
        if (type === "user_typing" && heard.at(-1) !== isTyping) heard.push(isTyping);
      }),
    );
    await alice.open(bob.name);
    await bob.open(alice.name);
    const typing = alice.presence.getByText(`${bob.name} is typing…`);

    await bob.composer.pressSequentially("hel");
    await typing.waitFor();
    await bob.composer.press("Enter");
    await alice.message("hel").waitFor();
    await typing.waitFor({ state: "detached" });

    await bob.composer.fill("never mind");
    await typing.waitFor();
    await bob.composer.fill("");
    await typing.waitFor({ state: "detached" });

    await bob.composer.fill("later");
    await typing.waitFor();
    await bob.composer.blur();
    await typing.waitFor({ state: "detached" });
    // Told each time, not only forgotten after a while.
    expect(heard).toEqual([true, false, true, false, true, false]);
  });

  it("see whether the other is there, until they close the page", async () => {
    const [alice, bob] = await stage().people("alice", "bob");
    await alice.open(bob.name);
    await alice.presence.getByText("offline", { exact: true }).waitFor();
    await bob.open(alice.name);
    await alice.presence.getByText("online", { exact: true }).waitFor();
    await bob.page.close();
    await alice.presence.getByText("offline", { exact: true }).waitFor();
  });

  it("find what they were writing when they come back to a room", async () => {
    const [alice, bob, carol] = await stage().people("alice", "bob", "carol");
    await alice.open(bob.name);
    await alice.composer.fill("not finished");
    await alice.open(carol.name);
    await eventually(() => alice.composer.inputValue()).toBe("");
    await alice.open(bob.name);
    await eventually(() => alice.composer.inputValue()).toBe("not finished");
  });
});
