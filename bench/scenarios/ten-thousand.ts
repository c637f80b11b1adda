/**
 * What docs/scaling.md rests on: one node with 10,000 badge sockets of as many users. What they hold while nothing happens,
 * what others who talk notice of them, and how long it takes until all are back after they were cut in one moment.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { runLoad } from "../harness/load-process.ts";
import { mostSockets } from "../harness/open-files.ts";
import type { Contender, Figure, Ground, Run, Scale, Scenario } from "../harness/scenario.ts";
import type { ServerUnderTest } from "../harness/server-under-test.ts";
import { userName } from "../load/names.ts";
import type { Plan, Workload } from "../load/plan.ts";
import { acquaint } from "./acquaintances.ts";
import { CpuClock, type CpuSpent } from "./cpu-clock.ts";
import { type Memory, memoryOf, metric } from "./node-metrics.ts";
import { PARLEY, type RunningProgram, withProgram } from "./programs.ts";
import { CPU_PER_MESSAGE, carry, ECHO_MEDIAN, ECHO_P99, MESSAGES, planFor } from "./traffic.ts";

const SOCKETS: Figure = { key: "sockets", title: "sockets", digits: 0 };
const MEMORY: Figure = { key: "memory", title: "MiB", digits: 0 };
const PER_SOCKET: Figure = { key: "memoryPerSocket", title: "KiB/socket", digits: 2 };
const IDLE_SERVER: Figure = { key: "idleServer", title: "idle: server busy", digits: 3 };
const IDLE_POSTGRES: Figure = { key: "idlePostgres", title: "PostgreSQL busy", digits: 3 };
const IDLE_REDIS: Figure = { key: "idleRedis", title: "Redis busy", digits: 3 };
const STORM_TIME: Figure = { key: "stormTime", title: "storm: s until all are open", digits: 2 };
const STORM_RATE: Figure = { key: "stormRate", title: "openings/s", digits: 0 };
const STORM_SERVER: Figure = { key: "stormServer", title: "server CPU ms/opening", digits: 3 };
const STORM_POSTGRES: Figure = { key: "stormPostgres", title: "PostgreSQL ms/opening", digits: 3 };
const STORM_REDIS: Figure = { key: "stormRedis", title: "Redis ms/opening", digits: 3 };
const STORM_MEMORY: Figure = { key: "stormMemory", title: "MiB after it", digits: 0 };

/** Those who talk, with badges of their own. */
const TALK = { kind: "pairs", pairs: 50, inFlight: 4, badges: true } as const;
const CONVERSATIONS = 10;
const EARLY_SOCKETS = 500;
/** Milliseconds. */
const EARLY_TALK = 4_000;
/** Milliseconds: as many sweeps (each 5 s), renewals of the lease (3 s) and shares of the pings (1 s) in every run. */
const IDLE_TIME = 15_000;
/** Sockets that are being opened again at any moment: fewer than the 511 that wait to be accepted before Linux drops a SYN. */
const STORM_AT_ONCE = 256;

/** Who is there. */
interface Crowd {
  readonly name: string;
  readonly sockets: (scale: Scale) => number;
  /** Of each user: direct, with others of the crowd. Default: none. */
  readonly conversations?: number;
  readonly work: "hold" | "talk" | "talk and storm";
}

/** A node with its crowd, and the time that is spent on it. */
interface Scene {
  readonly ground: Ground;
  readonly running: RunningProgram;
  readonly clock: CpuClock;
  /** When nobody had come yet. */
  readonly before: Memory;
  readonly sockets: number;
}

function contenderFor({ name, sockets: socketsOf, conversations = 0, work }: Crowd): Contender {
  return {
    name,
    needs: PARLEY.needs,
    run: async (ground) => {
      const sockets = socketsOf(ground.scale);
      const users = Array.from({ length: sockets }, (_, user) => userName("bench", user));
      const faults: string[] = [];
      const run = await withProgram(
        PARLEY,
        ground,
        faults,
        async (running) => {
          faults.push(...(await workEarly(running, ground)));
          const clock = await CpuClock.of(running, ground);
          return gather({ ground, running, clock, before: await memoryOf(serverOf(running)), sockets }, work);
        },
        {
          nodes: 1,
          ...(conversations > 0 && { prepare: (databaseUrl) => acquaint(databaseUrl, users, conversations) }),
        },
      );
      return { ...run, faults: [...run.faults, ...faults] };
    },
  };
}

/**
 * What a node needs once, it has afterwards: connections, compiled code, and a young generation that V8 has let grow as far
 * as it goes, which takes some seconds of traffic. Resolves with what was wrong.
 */
async function workEarly(running: RunningProgram, ground: Ground): Promise<readonly string[]> {
  const plan = planFor(PARLEY, running, { kind: "idle", sockets: EARLY_SOCKETS }, ground);
  const opened = await runLoad({ ...plan, prefix: "first", warmUp: 0, measure: 100 });
  const talked = await runLoad({
    ...planFor(PARLEY, running, TALK, ground),
    prefix: "early",
    warmUp: 0,
    measure: EARLY_TALK,
  });
  return [...opened.faults, ...talked.faults];
}

/** All that is measured while the crowd is there, and of its coming back. */
async function gather(scene: Scene, work: Crowd["work"]): Promise<Run> {
  const { sockets } = scene;
  const parts: Run[] = [];
  const lookAround = async () => {
    parts.push(await lookAtMemory(scene), await lookAtIdling(scene));
    if (work !== "hold") parts.push(await carry(scene.running, planOf(scene, TALK, "talk")));
  };
  if (sockets === 0) {
    await lookAround();
  } else if (work === "talk and storm") {
    parts.push(await storm(scene, lookAround));
  } else {
    const { faults } = await runLoad(planOf(scene, { kind: "idle", sockets }), { ready: lookAround });
    parts.push({ ...NOTHING, faults });
  }
  return together(parts);
}

async function lookAtMemory({ running, before, sockets }: Scene): Promise<Run> {
  const now = await memoryOf(serverOf(running));
  return {
    ...NOTHING,
    figures: {
      [SOCKETS.key]: sockets,
      [MEMORY.key]: now.resident / 1024,
      ...(sockets > 0 && { [PER_SOCKET.key]: (now.resident - before.resident) / sockets }),
    },
    raw: { before, now },
  };
}

async function lookAtIdling({ clock }: Scene): Promise<Run> {
  const spent = clock.start();
  await sleep(IDLE_TIME);
  const idle = spent();
  return {
    ...NOTHING,
    figures: known({
      [IDLE_SERVER.key]: idle.server / idle.seconds,
      [IDLE_POSTGRES.key]: idle.postgres / idle.seconds,
      [IDLE_REDIS.key]: idle.redis / idle.seconds,
    }),
    strangersBusy: idle.strangers / idle.seconds,
    raw: { idle },
  };
}

/** `before`: called with all sockets open, and awaited before they are cut. */
async function storm(scene: Scene, before: () => Promise<void>): Promise<Run> {
  const { clock, sockets } = scene;
  let stop: (() => CpuSpent) | undefined;
  let spent: CpuSpent | undefined;
  let after: Memory | undefined;
  const faults: string[] = [];
  const result = await runLoad(planOf(scene, { kind: "storm", sockets, atOnce: STORM_AT_ONCE }), {
    ready: async () => {
      await before();
      stop = clock.start();
    },
    measured: () => {
      spent = stop?.();
    },
    done: async () => {
      faults.push(...(await countedWrongly(scene)));
      after = await memoryOf(serverOf(scene.running));
    },
  });
  const [latency] = result.latencies;
  if (spent === undefined || after === undefined || latency === undefined)
    throw new Error("the load generator said nothing of the storm");
  return {
    figures: known({
      [STORM_TIME.key]: latency.max / 1e3,
      [STORM_RATE.key]: (sockets / latency.max) * 1e3,
      [STORM_SERVER.key]: (spent.server / sockets) * 1e3,
      [STORM_POSTGRES.key]: (spent.postgres / sockets) * 1e3,
      [STORM_REDIS.key]: (spent.redis / sockets) * 1e3,
      [STORM_MEMORY.key]: after.resident / 1024,
    }),
    faults: [...result.faults, ...faults],
    loadBusy: result.busy,
    strangersBusy: spent.strangers / spent.seconds,
    raw: { spent, after, result },
  };
}

/** What the node says of itself when everybody is back: no socket of before may be left, and no user followed twice. */
async function countedWrongly({ running, sockets }: Scene): Promise<string[]> {
  const { url } = serverOf(running);
  const faults: string[] = [];
  for (const name of ["parley_sockets", "parley_user_feeds"]) {
    const value = await metric(url, name);
    if (value !== sockets) faults.push(`${name} is ${value} with ${sockets} sockets open`);
  }
  return faults;
}

function serverOf({ servers: [server] }: RunningProgram): ServerUnderTest {
  if (server === undefined) throw new Error("no server was started");
  return server;
}

/** Nothing is sent by the crowd: its measuring needs no time. */
function planOf({ ground, running }: Scene, workload: Workload, prefix = "bench"): Plan {
  const plan = { ...planFor(PARLEY, running, workload, ground), prefix };
  return workload.kind === "pairs" ? plan : { ...plan, warmUp: 0, measure: 100 };
}

const NOTHING: Run = { figures: {}, faults: [], loadBusy: null, strangersBusy: null, raw: null };

/** What a service took that was not started here is not known. */
function known(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => !Number.isNaN(value)));
}

function together(parts: readonly Run[]): Run {
  const most = (shares: readonly (number | null)[]) => Math.max(0, ...shares.filter((share) => share !== null));
  return {
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
    faults: parts.flatMap(({ faults }) => faults),
    loadBusy: most(parts.map(({ loadBusy }) => loadBusy)),
    strangersBusy: most(parts.map(({ strangersBusy }) => strangersBusy)),
    raw: parts.map(({ raw }) => raw),
  };
}

const manySockets = ({ idleSockets }: Scale) => 2 * idleSockets;

export const tenThousand: Scenario = {
  name: "ten-thousand",
  work:
    "Badge sockets of 10,000 users on one node, and as many as open files allow (20,000 at most). Idle: shares of a core " +
    `over 15 s, pings, sweeps and renewals included. Meanwhile ${TALK.pairs} pairs talk with ${TALK.inFlight} on their ` +
    `way each. Storm: all are cut at once and opened again, ${STORM_AT_ONCE} at a time.`,
  contenders: [
    { name: "nobody", sockets: () => 0, work: "talk" } as const,
    { name: "10,000", sockets: manySockets, work: "talk and storm" } as const,
    {
      name: `10,000, ${CONVERSATIONS} conversations each`,
      sockets: manySockets,
      conversations: CONVERSATIONS,
      work: "talk and storm",
    } as const,
    {
      name: "as many as go",
      sockets: (scale: Scale) => Math.min(2 * manySockets(scale), mostSockets()),
      work: "hold",
    } as const,
  ].map(contenderFor),
  figures: [
    SOCKETS,
    MEMORY,
    PER_SOCKET,
    IDLE_SERVER,
    IDLE_POSTGRES,
    IDLE_REDIS,
    MESSAGES,
    CPU_PER_MESSAGE,
    ECHO_MEDIAN,
    ECHO_P99,
    STORM_TIME,
    STORM_RATE,
    STORM_SERVER,
    STORM_POSTGRES,
    STORM_REDIS,
    STORM_MEMORY,
  ],
  ratios: [],
  onlyByName: true,
};
