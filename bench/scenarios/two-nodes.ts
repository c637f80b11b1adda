/** What a second node costs: the same room on one and dealt over two, which share PostgreSQL and Redis. */
import type { Scenario } from "../harness/scenario.ts";
import { queryRow, redisInfo } from "../harness/services.ts";
import { PARLEY } from "./programs.ts";
import {
  CPU_PER_DELIVERY,
  DELIVERIES,
  ECHO_MEDIAN,
  ECHO_P99,
  MESSAGES,
  type Observation,
  SERVER_BUSY,
  trafficContender,
} from "./traffic.ts";

const IN_FLIGHT = 8;

function room(inFlight: number) {
  return { kind: "room", sockets: 100, inFlight } as const;
}

const PUBLISHES = { key: "publishesPerBatch", title: "publishes/batch", digits: 3 };

/** @param info a section `commandstats` of Redis's INFO */
export function publishCalls(info: string): number {
  return Number(/^cmdstat_publish:calls=(\d+)/m.exec(info)?.[1] ?? 0);
}

/** Redis counts the publishes. A batch is one transaction, and each row knows the one that made it. */
function observePublishes(): Observation {
  let before = 0;
  return {
    ready: async ({ redisUrl }) => {
      before = publishCalls(await redisInfo(redisUrl, "commandstats"));
    },
    done: async ({ redisUrl, databaseUrl }) => {
      const publishes = publishCalls(await redisInfo(redisUrl, "commandstats")) - before;
      const row = await queryRow(databaseUrl, "select count(distinct xmin::text)::float8 as batches from messages");
      return { publishes, batches: Number(row.batches), [PUBLISHES.key]: publishes / Number(row.batches) };
    },
  };
}

export const twoNodes: Scenario = {
  name: "two-nodes",
  work:
    `A group of 100 sockets on one node, ${IN_FLIGHT} messages on their way; the same group with its sockets dealt over two ` +
    `nodes, ${IN_FLIGHT} on their way at each; and ${IN_FLIGHT} shared by two, which halves the batches. CPU of all nodes together.`,
  contenders: [
    trafficContender(PARLEY, room(IN_FLIGHT), { name: "one node", nodes: 1, observe: observePublishes }),
    trafficContender(PARLEY, room(2 * IN_FLIGHT), { name: "two nodes", nodes: 2, observe: observePublishes }),
    trafficContender(PARLEY, room(IN_FLIGHT), { name: "two nodes, shared", nodes: 2, observe: observePublishes }),
  ],
  figures: [DELIVERIES, CPU_PER_DELIVERY, PUBLISHES, MESSAGES, ECHO_MEDIAN, ECHO_P99, SERVER_BUSY],
  ratios: [
    {
      title: "server CPU per delivery, two nodes / one node",
      goal: { kind: "at most", value: 1.1 },
      of: (medians) => medians("two nodes", CPU_PER_DELIVERY.key) / medians("one node", CPU_PER_DELIVERY.key),
    },
    {
      title: "publishes per batch, two nodes",
      goal: { kind: "exactly", value: 1 },
      of: (medians) => medians("two nodes", PUBLISHES.key),
    },
  ],
};
