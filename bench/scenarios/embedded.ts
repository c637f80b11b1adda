/** One process and no services: PGlite in a folder. */
import type { Scenario } from "../harness/scenario.ts";
import { PARLEY_EMBEDDED, PGLITE_INSERT } from "./programs.ts";
import { CPU_PER_MESSAGE, ECHO_MEDIAN, ECHO_P99, MESSAGES, SERVER_BUSY, trafficContender } from "./traffic.ts";

const workload = { kind: "pairs", pairs: 50, inFlight: 4, badges: true } as const;

export const embedded: Scenario = {
  name: "embedded",
  work: "The work of pairs-4 on PGlite in a folder, without Redis. pglite-insert commits one INSERT a message.",
  contenders: [trafficContender(PARLEY_EMBEDDED, workload), trafficContender(PGLITE_INSERT, workload)],
  figures: [MESSAGES, CPU_PER_MESSAGE, ECHO_MEDIAN, ECHO_P99, SERVER_BUSY],
  ratios: [
    {
      title: "messages/s, parley / pglite-insert",
      goal: { kind: "at least", value: 2 },
      of: (medians) => medians("parley", MESSAGES.key) / medians("pglite-insert", MESSAGES.key),
    },
  ],
};
