/**
 * Takes the pictures of the page for docs/images, of a scene that it plays on a server of its own. By hand, after
 * `npm run build:web`: `npx tsx scripts/screenshots.ts`.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { SignJWT } from "jose";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { WebSocket } from "ws";
import { connectRoom, createApi } from "../client/index.ts";
import { rootFolder } from "../db/root-folder.ts";
import { startPageServer } from "../tests/page/page-server.ts";
import { findChromium } from "./find-chromium.ts";

const SECRET = "what the tokens of the scene are signed with";
const NAMES = {
  ada: "Ada Moreau",
  ben: "Ben Okafor",
  chloe: "Chloe Lindqvist",
  dario: "Dario Rossi",
  emi: "Emi Tanaka",
} as const;
type Name = keyof typeof NAMES;

/** What the picture in the conversation shows. */
const VIEW = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300">
<defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="#f7c59f"/><stop offset="1" stop-color="#fbe9d0"/></linearGradient></defs>
<path fill="url(#s)" d="M0 0h480v300H0z"/><circle cx="350" cy="110" r="34" fill="#f08a5d"/>
<path fill="#6b8f9c" d="M0 190l90-70 70 55 80-85 110 95 60-40 70 50v105H0z"/>
<path fill="#3f6470" d="M0 240l120-60 110 60 90-40 160 55v45H0z"/></svg>`;

const root = rootFolder();
const page = join(root, "dist/web");
const target = join(root, "docs/images");
const executablePath = findChromium();
if (executablePath === null) throw new Error("there is no Chromium on this machine; CHROMIUM_PATH can name one");
if (!existsSync(join(page, "index.html"))) throw new Error("dist/web has no page: `npm run build:web` makes it");

const server = await startPageServer(page, { JWT_SECRET: SECRET });
const pictures = createServer((_request, answer) => {
  answer.writeHead(200, { "content-type": "image/svg+xml" }).end(VIEW);
}).listen(0, "127.0.0.1");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const curtain = new AbortController();
try {
  const group = await play();
  await mkdir(target, { recursive: true });
  const size = { viewport: { width: 1280, height: 800 } };
  await shoot("page-light.png", group, { ...size, colorScheme: "light" }, async (page) => {
    await page.getByRole("img", { name: "Picture: view.svg" }).waitFor();
    await page.getByText("is typing…").waitFor();
  });
  await shoot("page-dark.png", "ben", { ...size, colorScheme: "dark" }, async (page) => {
    await page.getByRole("button", { name: "Wire", exact: true }).click();
    await page.getByRole("textbox", { name: "Message", exact: true }).fill("The new plan is up. Have a look");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: "Read by Ben Okafor" }).last().waitFor();
    await page.getByRole("list", { name: "Frames" }).getByText("messages_read").last().waitFor();
  });
  const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  await shoot("page-phone.png", group, { ...phone, colorScheme: "light" }, async (page) => {
    await page.getByRole("img", { name: "Picture: view.svg" }).waitFor();
    await page.getByText("is typing…").waitFor();
  });
} finally {
  curtain.abort();
  await browser.close();
  pictures.close();
  await server.remove();
}

/** @returns the id of the group */
async function play(): Promise<string> {
  const names = Object.keys(NAMES) as Name[];
  for (const name of names) await api(name).me();
  const say = async (from: Name, room: string, message: string, more: object = {}) => {
    const answer = await fetch(`${server.url}/api/rooms/${room}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${await tokenOf(from)}`, "content-type": "application/json" },
      body: JSON.stringify({ message, ...more }),
    });
    if (!answer.ok) throw new Error(`${from} could not speak: ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  };

  await say("emi", "ada", "Did you get home all right?");
  await say("dario", "ada", "The train is at 7:40, platform 3.");
  await say("dario", "ada", "I'll bring coffee.");
  await say("ben", "ada", "Morning! Are we still on for the review at ten?");
  await say("ada", "ben", "Yes. I have two questions about the schedule first.");
  await say("ben", "ada", "Shoot.");
  const question = await say("ada", "ben", "Can the workshop move to Thursday, and who tells the others?");
  await say("ben", "ada", "Thursday is fine. I'll write to them this afternoon.", { reply_to: question });

  const { id: group } = await api("ada").createGroup({ name: "Sunday hike", members: names });
  const plan = await say(
    "chloe",
    group,
    "Meeting point: the old mill, 9 o'clock. Bring water, there is none on the ridge.",
  );
  await say("ben", group, "What a morning it was up there yesterday:");
  const { port } = pictures.address() as { port: number };
  await say("ben", group, "", { multimedia_url: `http://127.0.0.1:${port}/view.svg`, media_type: "IMAGE" });
  await say("emi", group, "Oh wow. I'm in!");
  await say("ada", group, "Count me in too. I can take three people in the car.", { reply_to: plan });
  await say("dario", group, "Keep a seat for me, please.");

  const there = (["ben", "chloe", "dario"] as const).map((name) => ({ name, room: enter(name, group) }));
  for (const { room } of there) await opened(room);
  const pinned = there.find(({ name }) => name === "chloe");
  await pinned?.room.pin(plan, true);
  for (const { room } of there) await room.read();
  const typing = there.find(({ name }) => name === "chloe");
  // It is forgotten after some seconds without word of it.
  const again = setInterval(() => typing?.room.typing(true), 1_000);
  curtain.signal.addEventListener("abort", () => clearInterval(again));
  const reader = enter("ben", "ada");
  await opened(reader);
  reader.on("chat_message", ({ id }) => void reader.read(id));
  return group;
}

async function shoot(
  file: string,
  room: string,
  options: BrowserContextOptions,
  prepare: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await (browser satisfies Browser).newContext({ ...options, locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(`${server.url}/#token=${await tokenOf("ada")}&room=${room}`);
  await page.getByRole("log", { name: "Messages" }).getByRole("article").first().waitFor();
  await prepare(page);
  await page.screenshot({ path: join(target, file), animations: "disabled", caret: "hide" });
  await context.close();
  console.log(`docs/images/${file}`);
}

function api(name: Name) {
  return createApi({ url: server.url, getToken: () => tokenOf(name) });
}

function enter(name: Name, room: string) {
  return connectRoom(room, {
    url: server.url,
    getToken: () => tokenOf(name),
    WebSocket,
    signal: curtain.signal,
  });
}

function opened(room: ReturnType<typeof enter>): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (room.state.name === "open") resolve();
    };
    room.onState(look);
    look();
  });
}

function tokenOf(name: Name): Promise<string> {
  return new SignJWT({ name: NAMES[name] })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(name)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
}
