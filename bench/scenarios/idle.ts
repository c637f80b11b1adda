/** What a socket on which nothing happens holds in memory. */
import { runLoad } from "../harness/load-process.ts";
import type { Contender, Run, Scenario } from "../harness/scenario.ts";
import type { Result } from "../load/plan.ts";
import { PARLEY, type Program, WS_BARE, withProgram } from "./programs.ts";
import { planFor } from "./traffic.ts";

const PER_SOCKET = { key: "memoryPerSocket", title: "KiB/socket", digits: 2 };

/**
 * Sockets that stay open from before the first look at the memory, as a share of those that are then added. What a server
 * needs once, however many sockets it has (compiled code, pools, the room for young objects, which grows while many are
 * opened and stays), is thus not taken for a need of each.
 */
const FIRST_SHARE = 0.5;

function idleContender(program: Program): Contender {
  return {
    name: program.name,
    needs: program.needs,
    run: async (ground): Promise<Run> => {
      const { idleSockets } = ground.scale;
      const faults: string[] = [];
      const run = await withProgram(program, ground, faults, async (running) => {
        const memory = async () => {
          let sum = 0;
          for (const server of running.servers) sum += await server.settledMemory();
          return sum;
        };
        const planOf = (prefix: string, sockets: number) => ({
          ...planFor(program, running, { kind: "idle", sockets }, ground),
          prefix,
          // Nothing happens while measuring: what is looked at is there when all of them are open.
          warmUp: 0,
          measure: 100,
        });
        const few = Math.round(idleSockets * FIRST_SHARE);
        let before = Number.NaN;
        let after = Number.NaN;
        const added: Result[] = [];
        const first = await runLoad(planOf("first", few), {
          ready: async () => {
            before = await memory();
            added.push(
              await runLoad(planOf("bench", idleSockets), {
                ready: async () => {
                  after = await memory();
                },
              }),
            );
          },
        });
        return {
          figures: { before: before / 1024, after: after / 1024, [PER_SOCKET.key]: (after - before) / idleSockets },
          faults: [first, ...added].flatMap((result) => result.faults),
          loadBusy: null,
          strangersBusy: null,
          raw: { first, added },
        };
      });
      return { ...run, faults: [...run.faults, ...faults] };
    },
  };
}

export const idle: Scenario = {
  name: "idle-5000",
  work: "Memory after a collection, anonymous pages, with 2,500 badge sockets of as many users and with 5,000 more.",
  contenders: [idleContender(PARLEY), idleContender(WS_BARE)],
  figures: [
    PER_SOCKET,
    { key: "before", title: "MiB with 2,500", digits: 1 },
    { key: "after", title: "MiB with 7,500", digits: 1 },
  ],
  ratios: [
    {
      title: "memory per socket, parley / ws-bare",
      goal: { kind: "at most", value: 1.15 },
      of: (medians) => medians("parley", PER_SOCKET.key) / medians("ws-bare", PER_SOCKET.key),
    },
  ],
};
