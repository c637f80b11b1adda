/** Somebody at the page: a browser's context with a storage of its own, and what they do there. */
import type { BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** Milliseconds. It ends what would hang, it measures nothing. */
export const PATIENCE = 15_000;

/** Asks until it is as expected: `await eventually(() => person.texts()).toEqual(["hi"])`. */
export function eventually<T>(ask: () => T | Promise<T>, patience = PATIENCE) {
  return expect.poll(ask, { timeout: patience, interval: 25 });
}

/** What the browser says of a line that is cut: the test that cuts it expects it. */
export const LINE_TROUBLE = /WebSocket connection to .* failed|Failed to load resource: net::ERR_/;

export class Person {
  readonly name: string;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Where the page comes from: all that it may ask. */
  readonly origin: string;
  readonly #secret: string;
  /** What went wrong in the browser, or left for another host. */
  readonly #complaints: string[] = [];
  readonly #expected: RegExp[] = [];

  /** `secret`: what the server's log shows. */
  constructor(
    name: string,
    context: BrowserContext,
    page: Page,
    { origin, secret }: { origin: string; secret: string },
  ) {
    this.name = name;
    this.context = context;
    this.page = page;
    this.origin = origin;
    this.#secret = secret;
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => {
      const isComplaint = message.type() === "error" || message.type() === "warning";
      if (isComplaint) this.#complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.#complaints.push(`not caught: ${error.message}`));
    page.on("request", (request) => this.#watch(request.url()));
    page.on("websocket", (socket) => this.#watch(socket.url()));
  }

  /** What nobody expected, since the page was opened. */
  get complaints(): string[] {
    return this.#complaints.filter((complaint) => !this.#expected.some((words) => words.test(complaint)));
  }

  /** The test itself brings about what the browser complains of in these words. */
  expectTrouble(words: RegExp): void {
    this.#expected.push(words);
  }

  get log(): Locator {
    return this.page.getByRole("log", { name: "Messages" });
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  /** What is said under the room's name. */
  get presence(): Locator {
    return this.page.getByRole("main").locator(".presence").first();
  }

  get status(): Locator {
    return this.page.getByRole("status", { name: "Connection" });
  }

  get conversations(): Locator {
    return this.page.getByRole("navigation", { name: "Conversations" });
  }

  dialog(name: string): Locator {
    return this.page.getByRole("dialog", { name });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  async signIn(): Promise<this> {
    await this.page.goto(`${this.origin}/#dev=${this.#secret}`);
    await this.page.getByRole("textbox", { name: "Your name" }).fill(this.name);
    await this.button("Sign in").click();
    await this.page.getByRole("banner").getByText(this.name, { exact: true }).waitFor();
    return this;
  }

  /** Goes to a room by its address, and waits until it is there. `room`: a username or an id. */
  async open(room: string): Promise<this> {
    await this.page.goto(`${this.origin}/#/${encodeURIComponent(room)}`);
    await this.composer.waitFor();
    await this.log.getByText(/^(The beginning|Older messages…|No messages yet\.)$/).waitFor();
    return this;
  }

  async leaveRoom(): Promise<void> {
    await this.page.goto(`${this.origin}/#/`);
    await this.composer.waitFor({ state: "detached" });
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** The texts in the log, from top to bottom, waiting ones among them. */
  texts(): Promise<string[]> {
    return this.log.locator(".message-text").allTextContents();
  }

  /** The message with exactly that text. */
  message(text: string): Locator {
    return this.log
      .getByRole("article")
      .filter({ has: this.page.locator(".message-text").getByText(text, { exact: true }) });
  }

  /** The link in the list to the conversation of that name. */
  conversation(name: string): Locator {
    return this.conversations.getByRole("link").filter({ hasText: name });
  }

  /** The element, when it has the focus. */
  focused(element: Locator): Locator {
    return element.and(this.page.locator(":focus"));
  }

  /** Whether there is more to the right than fits on the screen. */
  isWiderThanScreen(): Promise<boolean> {
    return this.page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth");
  }

  /** Presses one of the buttons that a message shows when it is pointed at. */
  async act(message: Locator, action: string): Promise<void> {
    await message.hover();
    await message.getByRole("button", { name: action, exact: true }).click();
  }

  #watch(url: string): void {
    const { host, protocol } = new URL(url);
    const isOwn = host === new URL(this.origin).host || protocol === "data:" || protocol === "blob:";
    if (!isOwn) this.#complaints.push(`asked another host: ${url}`);
  }
}
