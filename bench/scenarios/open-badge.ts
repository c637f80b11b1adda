/** Opening a badge: what a user owes to the messages they have not read. */
import { runLoad } from "../harness/load-process.ts";
import type { Contender, Scenario } from "../harness/scenario.ts";
import { PARLEY, withProgram } from "./programs.ts";
import { planFor } from "./traffic.ts";
import { CONVERSATIONS, leaveUnread } from "./unread.ts";

const LITTLE = { key: "openLittle", title: "p50 ms with 10 unread", digits: 3 };
const MUCH = { key: "openMuch", title: "p50 ms with 100,000 unread", digits: 3 };

const contender: Contender = {
  name: PARLEY.name,
  needs: PARLEY.needs,
  run: async (ground) => {
    const users = [
      { user: "bench-little", unread: 10 },
      { user: "bench-much", unread: ground.scale.unread },
    ];
    const faults: string[] = [];
    const result = await withProgram(
      PARLEY,
      ground,
      faults,
      (running) => runLoad(planFor(PARLEY, running, { kind: "open", users }, ground)),
      { nodes: 1, prepare: (databaseUrl) => leaveUnread(databaseUrl, users) },
    );
    const [little, much] = result.latencies;
    if (little === undefined || much === undefined) throw new Error("the load generator gave no latency for each user");
    return {
      figures: { [LITTLE.key]: little.p50, [MUCH.key]: much.p50, opened: result.latency.count },
      faults: [...result.faults, ...faults],
      loadBusy: result.busy,
      strangersBusy: null,
      raw: { result },
    };
  },
};

export const openBadge: Scenario = {
  name: "open-badge",
  work: `From connecting until the first frame of a badge socket, for users with ${CONVERSATIONS} conversations each.`,
  contenders: [contender],
  figures: [LITTLE, MUCH, { key: "opened", title: "opened", digits: 0 }],
  ratios: [
    {
      title: "median opening, 100,000 unread / 10 unread",
      goal: { kind: "at most", value: 1.1 },
      of: (medians) => medians(PARLEY.name, MUCH.key) / medians(PARLEY.name, LITTLE.key),
    },
  ],
};
