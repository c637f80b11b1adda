import { afterAll, beforeAll, expect, it } from "vitest";
import { type MediaFiles, serveMediaFiles } from "./media-files.ts";
import { eventually, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

onStage("media", {}, (stage) => {
  let files: MediaFiles;
  beforeAll(async () => {
    files = await serveMediaFiles();
  });
  afterAll(() => files.close());

  /** Two in a room who have answered each other, so that their browsers ask the media's host. */
  async function talk(): Promise<[Person, Person]> {
    const [alice, bob] = await stage().people("alice", "bob");
    await Promise.all([alice.open(bob.name), bob.open(alice.name)]);
    for (const person of [alice, bob]) person.expectTrouble(new RegExp(`asked another host: ${files.url}`));
    await bob.say("hello");
    await alice.message("hello").waitFor();
    return [alice, bob];
  }

  async function sendLink(person: Person, url: string, text: string): Promise<void> {
    await person.button("Add a link to media").click();
    await person.page.getByRole("textbox", { name: "Media link" }).fill(url);
    await person.say(text);
  }

  it("that is a picture is shown, and leads to it", async () => {
    const [alice, bob] = await talk();
    await sendLink(alice, `${files.url}/picture.png`, "look");
    const picture = bob.message("look").getByRole("img", { name: "Picture: picture.png" });
    await eventually(() => picture.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(1);
    const link = bob.message("look").getByRole("link");
    expect(await link.getAttribute("href")).toBe(`${files.url}/picture.png`);
    expect(await link.getAttribute("rel")).toContain("noopener");
  });

  it("that is a video is played in the page", async () => {
    const [alice, bob] = await talk();
    await sendLink(alice, `${files.url}/film.webm`, "watch");
    const video = bob.message("watch").locator("video[controls]");
    await eventually(() => video.evaluate((film: { videoWidth: number }) => film.videoWidth)).toBe(16);
  });

  it("that is a sound is played in the page, and not asked for before", async () => {
    const [alice, bob] = await talk();
    const asked: string[] = [];
    bob.page.on("request", (request) => {
      if (request.url().startsWith(files.url)) asked.push(request.url());
    });
    await sendLink(alice, `${files.url}/sound.wav`, "listen");
    const audio = bob.message("listen").locator("audio[controls]");
    await audio.waitFor();
    expect(asked).toEqual([]);
    await audio.evaluate((sound: { play(): Promise<void> }) => sound.play());
    await eventually(() => audio.evaluate((sound: { ended: boolean }) => sound.ended)).toBe(true);
    expect(asked).toContain(`${files.url}/sound.wav`);
  });

  it("of any other kind is a link under its name, without words too", async () => {
    const [alice, bob] = await talk();
    await sendLink(alice, `${files.url}/a%20plan.pdf`, "");
    const link = bob.log.getByRole("link", { name: "a plan.pdf" });
    expect(await link.getAttribute("href")).toBe(`${files.url}/a%20plan.pdf`);
    expect(await link.getAttribute("target")).toBe("_blank");
    await eventually(() => bob.conversation(alice.name).innerText()).toContain("File");
  });

  it("is of the kind that the sender chooses", async () => {
    const [alice, bob] = await talk();
    await alice.button("Add a link to media").click();
    await alice.page.getByRole("textbox", { name: "Media link" }).fill(`${files.url}/picture.png`);
    await alice.page.getByRole("combobox", { name: "Kind" }).selectOption("File");
    await alice.say("as a file");
    await bob.message("as a file").getByRole("link", { name: "picture.png" }).waitFor();
    expect(await bob.message("as a file").getByRole("img", { name: "Picture" }).count()).toBe(0);
  });

  it("that is not there any more is a link in its place", async () => {
    const [alice, bob] = await talk();
    for (const person of [alice, bob]) person.expectTrouble(/status of 404 .*\/gone\.png/);
    await sendLink(alice, `${files.url}/gone.png`, "was here");
    const link = bob.message("was here").getByRole("link", { name: `${files.url}/gone.png` });
    await link.waitFor();
    expect(await link.getAttribute("href")).toBe(`${files.url}/gone.png`);
    expect(await bob.message("was here").locator(".media-box").count()).toBe(0);
  });

  it("with a name in place of a link is shown by that name, and asked for nowhere", async () => {
    const [alice, bob] = await talk();
    await alice.button("Wire").click();
    await alice.page
      .getByRole("textbox", { name: "Data" })
      .fill(JSON.stringify({ message: "from a phone", multimedia_url: "photo.jpg", media_type: "IMAGE" }));
    await alice.button("Send frame").click();
    await bob.message("from a phone").getByText("photo.jpg").waitFor();
    expect(await bob.message("from a phone").locator("a, img[src]").count()).toBe(0);
  });

  it("takes no link that is neither http nor https", async () => {
    const [alice] = await talk();
    await alice.button("Add a link to media").click();
    await alice.page.getByRole("textbox", { name: "Media link" }).fill("javascript:alert(1)");
    await alice.page.getByText("An http or https link is needed.").waitFor();
    expect(await alice.button("Send").isDisabled()).toBe(true);
  });
});
