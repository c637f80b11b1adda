import { afterAll, beforeAll, expect, it } from "vitest";
import { startTcpProxy, type TcpProxy } from "../channel-layer/tcp-proxy.ts";
import { eventually, LINE_TROUBLE, type Person } from "./person.ts";
import { onStage } from "./stage.ts";

/** Milliseconds: a page that was refused several times waits some seconds before it tries again. */
const COMING_BACK = 40_000;

/** Seconds: more than `eventually` waits. */
const LONG_WAIT = 20;

async function secondsToNextAttempt(person: Person): Promise<number> {
  return Number(/Next attempt in (\d+) s/.exec(await person.status.innerText())?.[1] ?? 0);
}

onStage("a page whose line breaks", {}, (stage) => {
  let proxy: TcpProxy;
  beforeAll(async () => {
    proxy = await startTcpProxy(new URL(stage().server.url));
  });
  afterAll(() => proxy.close());

  /** Alice, behind the line that a test can cut, in a room with Bob. */
  async function talk(): Promise<[Person, Person]> {
    const alice = await stage().visitor("alice", { origin: `http://127.0.0.1:${proxy.port}` });
    alice.expectTrouble(LINE_TROUBLE);
    await alice.signIn();
    const [bob] = await stage().people("bob");
    await Promise.all([alice.open(bob.name), bob.open(alice.name)]);
    await alice.say("before");
    await bob.message("before").waitFor();
    return [alice, bob];
  }

  it(
    "shows what is typed meanwhile as waiting, and sends it once and in order when it is back",
    async () => {
      const [alice, bob] = await talk();
      proxy.cut();
      await alice.status.getByText("No connection").waitFor();
      await alice.say("one");
      await alice.say("two");
      await alice.say("three");
      expect(await alice.log.getByRole("img", { name: "Waiting" }).count()).toBe(3);
      await alice.status.getByText("3 messages wait to be sent").waitFor();
      expect(await alice.texts()).toEqual(["before", "one", "two", "three"]);
      expect(await bob.texts()).toEqual(["before"]);

      proxy.restore();
      await eventually(() => bob.texts()).toEqual(["before", "one", "two", "three"]);
      await eventually(() => alice.log.getByRole("img", { name: "Waiting" }).count()).toBe(0);
      expect(await alice.texts()).toEqual(["before", "one", "two", "three"]);
      await eventually(() => alice.status.innerText()).toBe("");
      // Nothing is sent once more behind them.
      await alice.say("after");
      await eventually(() => bob.texts()).toEqual(["before", "one", "two", "three", "after"]);
    },
    COMING_BACK,
  );

  it(
    "catches up with what was said and changed meanwhile",
    async () => {
      const [alice, bob] = await talk();
      await bob.say("will be edited");
      await bob.say("will be deleted");
      await alice.message("will be deleted").waitFor();
      proxy.cut();
      await alice.status.getByText("No connection").waitFor();
      await bob.act(bob.message("will be edited"), "Edit");
      await bob.say("was edited");
      await bob.act(bob.message("will be deleted"), "Delete");
      await bob.dialog("Delete this message?").getByRole("button", { name: "Delete" }).click();
      await bob.message("This message was deleted").waitFor();
      // What was written first and changed last stands where it was written.
      await bob.say("missed");
      await bob.say("missed too");
      await bob.act(bob.message("missed"), "Edit");
      await bob.say("missed, and edited");
      await bob.message("missed, and edited").getByText("edited", { exact: true }).waitFor();

      proxy.restore();
      const all = ["before", "was edited", "This message was deleted", "missed, and edited", "missed too"];
      await eventually(() => alice.texts()).toEqual(all);
    },
    COMING_BACK,
  );

  it(
    "makes the next attempt at once when it is told to",
    async () => {
      const [alice, bob] = await talk();
      proxy.cut();
      // A wait that is longer than the patience below: it is not its end that brings the page back.
      await eventually(async () => {
        const wait = await secondsToNextAttempt(alice);
        if (wait < LONG_WAIT) await alice.button("Try now").click();
        return wait;
      }).toBeGreaterThanOrEqual(LONG_WAIT);
      proxy.restore();
      await alice.button("Try now").click();
      await eventually(() => alice.status.innerText()).toBe("");
      await bob.say("there you are");
      await alice.message("there you are").waitFor();
    },
    COMING_BACK,
  );

  it(
    "notices that the machine is offline, and comes back by itself",
    async () => {
      const [alice, bob] = await talk();
      await alice.context.setOffline(true);
      await alice.status.getByText("No connection (offline)").waitFor();
      await bob.presence.getByText("offline").waitFor();
      await alice.say("from the tunnel");
      await bob.say("from outside");
      await alice.context.setOffline(false);
      const both = ["from outside", "from the tunnel"];
      await eventually(() => bob.texts()).toEqual(["before", ...both]);
      await eventually(() => alice.texts()).toEqual(["before", ...both]);
    },
    COMING_BACK,
  );

  it(
    "goes on to send for a room that is not in view any more",
    async () => {
      const [alice, bob] = await talk();
      const [carol] = await stage().people("carol");
      proxy.cut();
      await alice.status.getByText("No connection").waitFor();
      await alice.say("left behind");
      await alice.page.goto(`${alice.origin}/#/${carol.name}`);
      await alice.page.getByRole("heading", { level: 2, name: carol.name }).waitFor();
      proxy.restore();
      await eventually(() => bob.texts()).toEqual(["before", "left behind"]);
    },
    COMING_BACK,
  );

  it(
    "comes back when the server was stopped and started again, with nothing lost or repeated",
    async () => {
      const [alice, bob] = await talk();
      bob.expectTrouble(LINE_TROUBLE);
      await stage().server.stop();
      for (const person of [alice, bob]) await person.status.getByText("No connection").waitFor();
      await alice.say("to nobody yet");
      await stage().server.start();
      for (const person of [alice, bob]) {
        await eventually(() => person.texts(), COMING_BACK).toEqual(["before", "to nobody yet"]);
        await eventually(() => person.status.innerText(), COMING_BACK).toBe("");
      }
      await bob.say("welcome back");
      await eventually(() => alice.texts()).toEqual(["before", "to nobody yet", "welcome back"]);
    },
    COMING_BACK,
  );
});
