/** Frames made up at random, and valid ones spoiled field by field, on every socket path. */
import { test } from "vitest";
import { describeOnBoth, type Stack } from "../support/stack.ts";
import { Company, NO_LIMITS, SPEAKERS } from "./company.ts";
import { type FrameCase, frameCases } from "./frames.ts";
import { FUZZ_TIMEOUT, fuzz, title } from "./fuzz.ts";
import { Lane } from "./lane.ts";
import type { Path } from "./paths.ts";
import { expectOnlyValid } from "./stored.ts";
import { watchForHarm } from "./unharmed.ts";

/** The default of MAX_FRAME_BYTES. */
const MAX_FRAME_BYTES = 65_536;

describeOnBoth("frames of every kind", { nodes: 2, settings: NO_LIMITS }, (stack) => {
  test(
    title("frames", "are answered, stored if valid, told to nobody else, and harm nothing"),
    async () => {
      const expectNoHarm = watchForHarm(stack());
      const company = await Company.gather(stack());
      const watch = await company.watch();
      const lanes = openLanes(stack(), company);
      await fuzz("frames", frameCases(MAX_FRAME_BYTES), async (cases) => {
        await company.regroup();
        await Promise.all([...sharedOut(cases, lanes)].map(([lane, share]) => sayAll(lane, share)));
        await watch.expectNothing();
        expectNoHarm();
      });
      const all = [...lanes.values()].flat();
      const told = {
        stored: new Set(all.flatMap((lane) => [...lane.stored])),
        refused: new Set(all.flatMap((lane) => [...lane.refused])),
      };
      if (told.stored.size === 0 || told.refused.size === 0) throw new Error("nothing was tried");
      await expectOnlyValid(stack(), company, told);
    },
    FUZZ_TIMEOUT,
  );
});

/** For each path a socket of each speaker's, on nodes in turn. */
function openLanes(stack: Stack, company: Company): Map<Path, Lane[]> {
  const urls: Record<Path, (speaker: Company["speakers"][number]) => string> = {
    // One by the conversation's id, the others by a name.
    room: ({ name, other, directId }) => (name === "cat" ? `/ws/${directId}/` : `/ws/${other}/`),
    notifications: () => "/ws/notifications/",
    conversationNotifications: ({ other }) => `/ws/notifications/${other}/`,
    chat: () => "/chat",
    rooms: () => "/rooms",
  };
  return new Map(
    Object.entries(urls).map(([path, url], place) => [
      path as Path,
      SPEAKERS.map(
        (name, index) =>
          new Lane({
            stack,
            company,
            path: path as Path,
            name,
            url: url(company.speaker(name)),
            node: (place + index) % stack.nodes.length,
            maxBytes: MAX_FRAME_BYTES,
          }),
      ),
    ]),
  );
}

function sharedOut(cases: readonly FrameCase[], lanes: ReadonlyMap<Path, readonly Lane[]>): Map<Lane, FrameCase[]> {
  const shares = new Map<Lane, FrameCase[]>();
  for (const each of cases) {
    const ofPath = lanes.get(each.path) ?? [];
    const lane = ofPath[each.lane % ofPath.length];
    if (lane === undefined) throw new Error(`no socket on ${each.path}`);
    shares.set(lane, [...(shares.get(lane) ?? []), each]);
  }
  return shares;
}

async function sayAll(lane: Lane, cases: readonly FrameCase[]): Promise<void> {
  for (const each of cases) await lane.say(each);
}
