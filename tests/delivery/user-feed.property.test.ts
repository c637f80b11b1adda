import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConversationEvent, UserEvent } from "../../server/core/events.ts";
import type { UserFeed, UserFeedListener } from "../../server/transport/user-feed.ts";
import { UserFeeds } from "../../server/transport/user-feeds.ts";
import { type Circumstances, circumstances, SWEEP_SECONDS, useFakeTimers, World } from "./world.ts";

const NODES = 2;
const ROOMS = ["one", "two", "three"];
/** Ms. */
const SEARCH_TIME = 40_000;
/** Ms: every sixth sweep asks for users. */
const USER_SWEEP = 6 * SWEEP_SECONDS * 1_000;

beforeEach(useFakeTimers);
afterEach(() => {
  vi.useRealTimers();
});

const node = fc.nat({ max: NODES - 1 });
const room = fc.constantFrom(...ROOMS);
const delay = fc.constantFrom(0, 0, 5, 50);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("theirs" as const), node, room, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mine" as const), node, room, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), node, room, delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), node, room, seq: fc.nat(20), delay }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("join" as const), node, room, delay }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), node, room, delay }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 10, 30, 600, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reset" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("storage" as const), isAway: fc.boolean() }) },
);

/** How what was lost comes to light: the layer says so, or nothing does. */
const ending = fc.constantFrom("reset" as const, "silence" as const);
type Ending = typeof ending extends fc.Arbitrary<infer Value> ? Value : never;

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

/** A badge: what it was told of, by node. */
interface Badge {
  readonly listener: UserFeedListener;
  readonly messages: string[];
  feed: UserFeed | null;
}

function badge(): Badge {
  const messages: string[] = [];
  const listener: UserFeedListener = {
    notice: (notice) => {
      if (notice.kind === "message") messages.push(notice.change.message.id);
    },
  };
  return { listener, messages, feed: null };
}

/** Found once in six thousand: the room was followed by the membership of before, and its old messages were news again. */
const LEFT_AND_BACK_DURING_A_RESET: [Circumstances, Action[], Ending] = [
  { scripts: [["lost"], []], latencies: [] },
  [
    { do: "reset", node: 0 },
    { do: "leave", node: 0, room: "one", delay: 0 },
    { do: "join", node: 1, room: "one", delay: 0 },
  ],
  "reset",
];

/** Nothing of the room is listened to, so nothing that follows brings it to light. */
const JOINED_UNHEARD: [Circumstances, Action[], Ending] = [
  { scripts: [["lost"], []], latencies: [] },
  [
    { do: "join", node: 1, room: "two", delay: 0 },
    { do: "theirs", node: 1, room: "two", delay: 0 },
  ],
  "silence",
];

test(
  "the total is true at rest, and each message of another is told once",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        circumstances(NODES),
        fc.array(action, { maxLength: 60 }),
        ending,
        async (given, actions, end) => {
          const world = new World(given);
          const { truth } = world;
          // Of the first room she is a member throughout, unless she leaves it; to the others she may come.
          for (const id of ROOMS) truth.create(id, id === "one" ? ["alice", "bob"] : ["bob"]);
          const missedBefore = truth.send("one", "bob").message.id;
          const ofNode = world.nodes.map(({ hub }) => new UserFeeds({ hub, store: truth, log: world.log }));
          const badges = ofNode.map(() => badge());
          for (const [at, feeds] of ofNode.entries()) {
            const its = badges[at];
            if (its === undefined) throw new Error("a badge for each node");
            feeds.listen("alice", its.listener).then((feed) => {
              its.feed = feed;
            });
          }
          await vi.advanceTimersByTimeAsync(3_000);

          const left = new Set<string>();
          const owed = new Set<string>();
          const say = (at: number, wait: number, events: ConversationEvent[], toUsers: UserEvent[] = []) => {
            const tell = () => {
              world.node(at).hub.emit(events);
              world.node(at).hub.emitToUsers(toUsers);
            };
            if (wait === 0) tell();
            else setTimeout(tell, wait);
          };
          for (const step of actions) {
            switch (step.do) {
              case "theirs": {
                const change = truth.send(step.room, "bob");
                if (truth.isMember(step.room, "alice")) owed.add(change.message.id);
                say(step.node, step.delay, [change]);
                break;
              }
              case "mine":
                if (truth.isMember(step.room, "alice")) say(step.node, step.delay, [truth.send(step.room, "alice")]);
                break;
              case "read": {
                const read = truth.read(step.room, "alice");
                if (read !== null) say(step.node, step.delay, [read]);
                break;
              }
              case "delete": {
                const change = truth.delete(step.room, step.seq);
                if (change !== null) say(step.node, step.delay, [change]);
                break;
              }
              case "join":
                if (!truth.isMember(step.room, "alice")) {
                  say(step.node, step.delay, [], [truth.add(step.room, "alice")]);
                }
                break;
              case "leave": {
                if (!truth.isMember(step.room, "alice")) break;
                left.add(step.room);
                const { removed, left: goodbye } = truth.remove(step.room, "alice");
                say(step.node, step.delay, [removed], [goodbye]);
                break;
              }
              case "wait":
                await vi.advanceTimersByTimeAsync(step.ms);
                break;
              case "reset":
                world.node(step.node).layer.reset();
                break;
              case "storage":
                truth.isAway = step.isAway;
                break;
            }
          }
          await world.comeToRest();
          // A layer that lost something says so in the end, or a comparison finds it out.
          if (end === "reset") for (const { layer } of world.nodes) layer.reset();
          else await vi.advanceTimersByTimeAsync(USER_SWEEP);
          await world.comeToRest();

          for (const { feed, messages } of badges) {
            expect([...(feed?.conversationIds ?? [])].toSorted()).toEqual(
              ROOMS.filter((id) => truth.isMember(id, "alice")).toSorted(),
            );
            expect(feed?.ledger.total).toBe(truth.total("alice"));
            for (const id of ROOMS) expect(feed?.ledger.unread(id)).toBe(truth.unread(id, "alice"));
            expect(messages).not.toContain(missedBefore);
            const ofFollowed = (id: string) => !left.has(id.slice(0, id.lastIndexOf("-")));
            expect(messages.filter(ofFollowed).toSorted()).toEqual([...owed].filter(ofFollowed).toSorted());
          }
          for (const [at, feeds] of ofNode.entries()) {
            const its = badges[at];
            if (its !== undefined) feeds.leave("alice", its.listener);
            expect(feeds.size).toBe(0);
            expect(world.node(at).hub.size).toBe(0);
          }
          await world.close();
        },
      ),
      {
        numRuns: 1_000,
        examples: [LEFT_AND_BACK_DURING_A_RESET, JOINED_UNHEARD],
        interruptAfterTimeLimit: SEARCH_TIME,
      },
    );
  },
  2 * SEARCH_TIME,
);
