import { afterAll, beforeAll, expect, it } from "vitest";
import { createApi } from "../../client/index.ts";
import { SECRET, tokenFor } from "../support/stack.ts";
import { type MediaFiles, serveMediaFiles } from "./media-files.ts";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Who is at the page comes by a token: those without a page have pictures, which tokens alone give. */
onStage("what another host would be asked for", { JWT_SECRET: SECRET }, (stage) => {
  let files: MediaFiles;
  beforeAll(async () => {
    files = await serveMediaFiles();
  });
  afterAll(() => files.close());

  async function signedIn(name: string): Promise<Person> {
    const person = await stage().visitor(name);
    await person.page.goto(`${person.origin}/#token=${await tokenFor(person.name)}`);
    await person.page.getByRole("banner").getByText(person.name, { exact: true }).waitFor();
    return person;
  }

  /** Somebody without a page, with a picture of their own. */
  async function stranger(of: Person) {
    const name = `stranger-of-${of.name}`;
    const token = await tokenFor(name, { avatar: `${files.url}/picture.png?avatar` });
    const url = stage().server.url;
    return {
      name,
      api: createApi({ url, getToken: () => token }),
      say: async (room: string, body: object) => {
        const answer = await fetch(`${url}/api/rooms/${room}/messages`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        expect(answer.status).toBe(201);
      },
    };
  }

  function askedOf(person: Person): string[] {
    const asked: string[] = [];
    person.page.on("request", (request) => {
      if (request.url().startsWith(files.url)) asked.push(request.url());
    });
    // The test itself looks at what is asked.
    person.expectTrouble(new RegExp(`asked another host: ${files.url}`));
    return asked;
  }

  const kinds = [
    ["IMAGE", "picture.png", "picture"],
    ["VIDEO", "film.webm", "video"],
    ["AUDIO", "sound.wav", "sound"],
  ] as const;

  it("is not, in the list, the room and the dialogs, before somebody who never answered clicks", async () => {
    const alice = await signedIn("alice");
    const asked = askedOf(alice);
    const eve = await stranger(alice);
    await eve.api.me();
    const { id } = await eve.api.createGroup({
      name: "A trap",
      members: [alice.name],
      image_url: `${files.url}/picture.png?group`,
    });
    await eve.say(id, { message: "hi", multimedia_url: `${files.url}/picture.png?in-group`, media_type: "IMAGE" });
    for (const [media_type, file] of kinds) {
      await eve.say(alice.name, { message: file, multimedia_url: `${files.url}/${file}`, media_type });
    }
    await alice.conversation("A trap").click();
    await alice
      .message("hi")
      .getByRole("button", { name: `Show picture from ${new URL(files.url).host}` })
      .waitFor();
    await alice.button("Members: 2").click();
    await alice.dialog("Members").getByText(eve.name).waitFor();
    await alice.dialog("Members").getByRole("button", { name: "Close" }).click();
    await alice.button("New conversation").click();
    await alice.dialog("New conversation").getByRole("searchbox").fill(eve.name);
    await alice.dialog("New conversation").getByRole("button", { name: eve.name, exact: true }).waitFor();
    await alice.dialog("New conversation").getByRole("button", { name: "Close" }).click();
    await alice.conversations.locator(".conversation").filter({ hasNotText: "A trap" }).click();
    await alice
      .message("sound.wav")
      .getByRole("button", { name: /^Show sound from/ })
      .waitFor();
    expect(asked).toEqual([]);

    for (const [, file, word] of kinds) {
      await alice
        .message(file)
        .getByRole("button", { name: new RegExp(`^Show ${word} from`) })
        .click();
      await alice.message(file).locator("img, video, audio").waitFor();
    }
    await eventually(() => [...new Set(asked)].sort()).toEqual(
      expect.arrayContaining([`${files.url}/film.webm`, `${files.url}/picture.png`]),
    );
    expect(asked.join()).not.toContain("avatar");
  });

  it("is, once somebody has answered, and after a reload too", async () => {
    const alice = await signedIn("alice");
    const asked = askedOf(alice);
    const eve = await stranger(alice);
    await eve.say(alice.name, { message: "look", multimedia_url: `${files.url}/picture.png`, media_type: "IMAGE" });
    await alice.conversation(eve.name).click();
    await alice
      .message("look")
      .getByRole("button", { name: /^Show picture/ })
      .waitFor();
    expect(asked).toEqual([]);
    await alice.say("who are you?");
    await alice.message("look").getByRole("img", { name: "Picture: picture.png" }).waitFor();
    await eventually(() => asked.join()).toContain("avatar");
    await alice.page.reload();
    await alice.message("look").getByRole("img", { name: "Picture: picture.png" }).waitFor();
  });

  it("is of a group once somebody has written in it, or at a click", async () => {
    const alice = await signedIn("alice");
    const asked = askedOf(alice);
    const eve = await stranger(alice);
    for (const name of ["clicked", "written"]) {
      const group = { name, members: [alice.name], image_url: `${files.url}/picture.png?${name}` };
      await eve.api.createGroup(group);
      await alice.conversation(name).click();
      await alice.button(`Show the picture from ${new URL(files.url).host}`).waitFor();
    }
    expect(asked).toEqual([]);
    await alice.say("what is this?");
    await eventually(() => asked.join()).toContain("?written");
    await alice.conversation("clicked").click();
    await alice.button(`Show the picture from ${new URL(files.url).host}`).click();
    await eventually(() => asked.join()).toContain("?clicked");
    expect(asked.join()).not.toContain("avatar");
  });

  it("is for what somebody links to themselves", async () => {
    const alice = await signedIn("alice");
    askedOf(alice);
    await alice.open(alice.name);
    await alice.button("Add a link to media").click();
    await alice.page.getByRole("textbox", { name: "Media link" }).fill(`${files.url}/picture.png`);
    await alice.say("mine");
    await alice.message("mine").getByRole("img", { name: "Picture: picture.png" }).waitFor();
  });
});
