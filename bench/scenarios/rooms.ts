/** A room in which somebody always talks: what a delivery costs, with storage behind it, against a server without any. */
import type { Scenario } from "../harness/scenario.ts";
import { PARLEY, WS_BARE } from "./programs.ts";
import {
  CPU_PER_DELIVERY,
  DELIVERIES,
  ECHO_MEDIAN,
  ECHO_P99,
  MESSAGES,
  SERVER_BUSY,
  trafficContender,
} from "./traffic.ts";

function room(sockets: number, inFlight: number, goal: number): Scenario {
  const workload = { kind: "room", sockets, inFlight } as const;
  return {
    name: `room-${sockets}-at-${inFlight}`,
    work: `A group of ${sockets} sockets, ${inFlight} messages on their way at any moment. ws-bare stores nothing.`,
    contenders: [trafficContender(PARLEY, workload), trafficContender(WS_BARE, workload)],
    figures: [DELIVERIES, CPU_PER_DELIVERY, MESSAGES, ECHO_MEDIAN, ECHO_P99, SERVER_BUSY],
    ratios: [
      {
        title: "server CPU per delivery, parley / ws-bare",
        goal: { kind: "at most", value: goal },
        of: (medians) => medians("parley", CPU_PER_DELIVERY.key) / medians("ws-bare", CPU_PER_DELIVERY.key),
      },
    ],
  };
}

export const rooms: readonly Scenario[] = [
  room(100, 8, 0.85),
  room(1000, 8, 0.85),
  room(100, 64, 0.4),
  room(1000, 64, 0.4),
];
