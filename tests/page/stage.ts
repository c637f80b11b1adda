/**
 * A browser and a server for a file of tests:
 *
 *     onStage("a conversation", {}, (stage) => {
 *       it("…", async () => {
 *         const [alice, bob] = await stage().people("alice", "bob");
 *       });
 *     });
 *
 * After each test nothing may have gone wrong in any of its pages: no error or warning in the console, nothing against the
 * content security policy, no request to another host.
 */
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, vi } from "vitest";
import "./browser-provided.ts";
import { type PageServer, startPageServer } from "./page-server.ts";
import { Person } from "./person.ts";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Stage {
  readonly server: PageServer;
  /**
   * Somebody at the page who has not signed in. The name gets a number, so that each test has people of its own. `origin`:
   * where they reach the server; its own address by default.
   */
  visitor(name: string, options?: BrowserContextOptions & { origin?: string }): Promise<Person>;
  /** People who are signed in. */
  people<const Names extends readonly string[]>(...names: Names): Promise<{ [Name in keyof Names]: Person }>;
}

/** Milliseconds. More than PATIENCE, so that what did not come has the first word on what went wrong. */
const TEST_TIMEOUT = 60_000;
/** Milliseconds: on a loaded machine a browser takes its time to start. */
const HOOK_TIMEOUT = 180_000;

/** Runs the suite where there is a browser. `settings`: of the server. */
export function onStage(name: string, settings: Record<string, string>, suite: (stage: () => Stage) => void): void {
  vi.setConfig({ testTimeout: TEST_TIMEOUT, hookTimeout: HOOK_TIMEOUT });
  const provided = inject("browser");
  const isMissing = provided.status === "missing";
  describe.skipIf(isMissing)(isMissing ? `${name} (${provided.reason})` : name, () => {
    let browser: Browser | undefined;
    let server: PageServer | undefined;
    let present: Person[] = [];
    let tests = 0;

    beforeAll(async () => {
      if (provided.status !== "available") throw new Error(provided.reason);
      const { executable, folder } = provided;
      [browser, server] = await Promise.all([
        chromium.launch({ executablePath: executable, args: ARGUMENTS }),
        startPageServer(folder, settings),
      ]);
    });
    afterEach(async () => {
      tests += 1;
      const complaints = present.flatMap(({ name, complaints }) => complaints.map((text) => `${name}: ${text}`));
      await Promise.all(present.map(({ context }) => context.close()));
      present = [];
      expect(complaints).toEqual([]);
    });
    afterAll(async () => {
      await browser?.close();
      await server?.remove();
    });

    suite(() => {
      if (browser === undefined || server === undefined)
        throw new Error("the stage is set before the tests, not earlier");
      const [at, window] = [server, browser];
      const visitor: Stage["visitor"] = async (name, { origin = at.url, ...options } = {}) => {
        const context = await window.newContext(options);
        const person = new Person(`${name}${tests}`, context, await context.newPage(), { origin, secret: at.secret });
        present.push(person);
        return person;
      };
      return {
        server: at,
        visitor,
        people: async (...names) =>
          // The same number of people as of names.
          (await Promise.all(names.map(async (name) => (await visitor(name)).signIn()))) as never,
      };
    });
  });
}
