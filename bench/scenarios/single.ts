/** One person talks to another, a message at a time: what is added to the two things that cannot be spared. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onServerCore } from "../harness/cores.ts";
import type { Contender, Scenario } from "../harness/scenario.ts";
import { freshDatabase } from "../harness/services.ts";
import type { InsertTime } from "./insert-probe.ts";
import { PARLEY, WS_BARE, WS_INSERT } from "./programs.ts";
import { CPU_PER_MESSAGE, ECHO_MEDIAN, ECHO_P99, MESSAGES, SERVER_BUSY, trafficContender } from "./traffic.ts";

const workload = { kind: "single" } as const;
const before = { kind: "pairs", pairs: 50, inFlight: 4, badges: true } as const;
const INSERT = "one INSERT";

/** No server: what the database takes by itself, asked from the core where a server would ask it. */
const insertContender: Contender = {
  name: INSERT,
  needs: ["postgres"],
  run: async ({ scale, services, pinning }) => {
    if (services.postgres.status === "missing") throw new Error(services.postgres.reason);
    const database = await freshDatabase(services.postgres.url);
    try {
      const probe = fileURLToPath(new URL("insert-probe.js", import.meta.url));
      const [command = "", ...parameters] = onServerCore(pinning, [process.execPath, probe]);
      const child = spawn(command, parameters, {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          WARM_UP: `${scale.warmUp}`,
          MEASURE: `${scale.measure}`,
        },
      });
      let time: InsertTime | null = null;
      child.once("message", (said) => {
        time = said as InsertTime;
      });
      const [code, signal] = await once(child, "close");
      return {
        figures: figuresOf(time, code ?? signal, scale.measure),
        faults: [],
        loadBusy: null,
        strangersBusy: null,
        raw: time,
      };
    } finally {
      await database.drop();
    }
  },
};

function figuresOf(time: InsertTime | null, ending: unknown, measure: number): Record<string, number> {
  if (time === null) throw new Error(`the probe ended with ${ending} and said nothing`);
  return {
    [ECHO_MEDIAN.key]: time.p50,
    [ECHO_P99.key]: time.p99,
    [MESSAGES.key]: (time.count / measure) * 1e3,
  };
}

export const single: Scenario = {
  name: "single",
  work:
    "One direct conversation, one side sends, one message on its way. The INSERT is ws-insert's, on one connection " +
    "without a server between. The servers carried the work of pairs-4 before, for as long as the warm-up.",
  contenders: [
    trafficContender(PARLEY, workload, { before }),
    trafficContender(WS_BARE, workload, { before }),
    trafficContender(WS_INSERT, workload, { before }),
    insertContender,
  ],
  figures: [ECHO_MEDIAN, ECHO_P99, MESSAGES, CPU_PER_MESSAGE, SERVER_BUSY],
  ratios: [
    {
      title: "median echo, parley / (one INSERT + ws-bare)",
      goal: { kind: "at most", value: 1.2 },
      of: (medians) =>
        medians("parley", ECHO_MEDIAN.key) / (medians(INSERT, ECHO_MEDIAN.key) + medians("ws-bare", ECHO_MEDIAN.key)),
    },
  ],
};
