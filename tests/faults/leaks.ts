/** Who comes and goes leaves nothing behind, on two nodes: a row for hundreds and a row for thousands. */
import { expect, onTestFinished, test, vi } from "vitest";
import { Communicator, type Frame } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import { DEADLINE, describeFaults, startCluster } from "./cluster.ts";
import { flood, GUESTS, guest } from "./flood.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";

/** Ms: a lease, for what a node could not take back itself, and time to look. */
const SETTLING = { timeout: 60_000, interval: 250 };
const WITNESSES = ["witness-0", "witness-1"];

export function describeLeaks(visits: number): void {
  describeFaults("nothing is left", () => {
    test(`[ROOM-4] [AUTH-4] [PRESENCE-2] after ${visits} visits, many of them rude, the nodes and Redis hold what they held before`, {
      timeout: DEADLINE,
    }, async () => {
      const cluster = await startCluster({ nodes: 2, redis: "own" });
      const group = await makeGroup(cluster.node(0).url);
      // Who stays is in the books before and after, so that what is compared is not nothing.
      const witnesses: Communicator[] = [];
      for (const [index, name] of WITNESSES.entries()) {
        const socket = await Communicator.connect(`${cluster.node(index).sockets}/ws/${group}/`, await tokenFor(name));
        onTestFinished(() => socket.socket.terminate());
        witnesses.push(socket);
      }
      const before = await settled(async () => {
        const holdings = await holdingsOf(cluster);
        expect(holdings.nodes.map((node) => node.parley_sockets)).toEqual([1, 1]);
        expect(holdings.nodes.map((node) => node.parley_presence_rooms)).toEqual([1, 1]);
        // Each node's socket and question, and its two connections to Redis: nothing else is open any more.
        expect(holdings.resources.TCPSocketWrap).toBe(cluster.nodes.length * 4);
        return holdings;
      });

      const begun = performance.now();
      const { done, failures } = await flood(cluster, group, visits);
      const took = performance.now() - begun;
      expect(failures).toEqual([]);
      const ended = performance.now();
      const after = await settled(async () => {
        const holdings = await holdingsOf(cluster);
        const { resources } = before;
        expect({ ...holdings, resources }).toEqual(before);
        // A timer of something that is being done, such as a statement, comes and goes.
        for (const [type, count] of Object.entries(holdings.resources)) {
          expect(count, type).toBeLessThanOrEqual(resources[type] ?? 0);
        }
        return holdings;
      });
      const settling = performance.now() - ended;

      for (const [index, witness] of witnesses.entries()) {
        witness.send({ type: "chat_message", message: "still here" });
        const frames: Frame[] = [];
        while (frames.at(-1)?.seq !== index + 1) frames.push(await witness.receive());
        expect(presentAfter(frames)).toEqual(WITNESSES);
      }
      console.log(
        `leaks: ${visits} visits in ${Math.round(took)} ms (${Object.entries(done)
          .map(([manner, count]) => `${count} ${manner}`)
          .join(", ")}); ${Math.round(settling)} ms later all is as before: ${inWords(after)}`,
      );
    });
  });
}

function settled<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, SETTLING);
}

async function makeGroup(url: string): Promise<string> {
  const members = [...WITNESSES, ...Array.from({ length: GUESTS }, (_, index) => guest(index))];
  const ask = async (name: string, path: string, body?: object): Promise<Frame> => {
    const response = await fetch(`${url}${path}`, {
      // A connection that is kept would be counted.
      headers: {
        authorization: `Bearer ${await tokenFor(name)}`,
        "content-type": "application/json",
        connection: "close",
      },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    expect(response.status).toBeLessThan(300);
    return response.json();
  };
  for (const name of members) await ask(name, "/api/me");
  return (await ask("witness-0", "/api/conversations", { type: "group", name: "all", members })).id;
}

/** The list, plus the joins, minus the leaves. */
function presentAfter(frames: readonly Frame[]): string[] {
  const present = new Set<string>();
  for (const frame of frames) {
    if (frame.type === "online_user_list") for (const user of frame.users) present.add(user);
    else if (frame.type === "user_join") present.add(frame.user);
    else if (frame.type === "user_leave") present.delete(frame.user);
  }
  return [...present].sort();
}

function inWords({ nodes, resources, channels, keys }: Holdings): string {
  const sum = (name: string) => nodes.reduce((total, node) => total + (node[name] ?? 0), 0);
  return (
    `${sum("parley_sockets")} sockets, ${sum("parley_groups")} groups, ${sum("parley_user_feeds")} user feeds, ` +
    `${sum("parley_presence_rooms")} rooms of presence, ${resources.Timeout ?? 0} timers, ${resources.TCPSocketWrap} connections, ` +
    `${Object.keys(channels).length} channels, ${Object.keys(keys).length} keys without an end`
  );
}
