/** Fifty direct conversations with badges, every message durable before its echo. */
import type { Ratio, Scenario } from "../harness/scenario.ts";
import { PARLEY, SOCKET_IO, WS_INSERT } from "./programs.ts";
import { CPU_PER_MESSAGE, ECHO_MEDIAN, ECHO_P99, MESSAGES, SERVER_BUSY, trafficContender } from "./traffic.ts";

const PAIRS = 50;

function pairs(inFlight: number, ratios: readonly Ratio[]): Scenario {
  const workload = { kind: "pairs", pairs: PAIRS, inFlight, badges: true } as const;
  return {
    name: `pairs-${inFlight}`,
    work:
      `${PAIRS} direct conversations, both sides send with ${inFlight} on their way, a badge socket for each user. ` +
      "ws-insert and socket-io commit one INSERT a message, over a pool.",
    contenders: [PARLEY, WS_INSERT, SOCKET_IO].map((program) => trafficContender(program, workload)),
    figures: [MESSAGES, CPU_PER_MESSAGE, ECHO_MEDIAN, ECHO_P99, SERVER_BUSY],
    ratios,
  };
}

export const allPairs: readonly Scenario[] = [
  pairs(4, [
    {
      title: "messages/s, parley / ws-insert",
      goal: { kind: "at least", value: 4 },
      of: (medians) => medians("parley", MESSAGES.key) / medians("ws-insert", MESSAGES.key),
    },
    {
      title: "server CPU per message, parley / ws-insert",
      goal: { kind: "at most", value: 0.5 },
      of: (medians) => medians("parley", CPU_PER_MESSAGE.key) / medians("ws-insert", CPU_PER_MESSAGE.key),
    },
  ]),
  pairs(1, [
    {
      title: "median echo, parley / ws-insert",
      goal: { kind: "at most", value: 1 },
      of: (medians) => medians("parley", ECHO_MEDIAN.key) / medians("ws-insert", ECHO_MEDIAN.key),
    },
  ]),
];
