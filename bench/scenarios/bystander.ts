/** Twenty ordinary people beside somebody who floods: what it does to them, and to the memory of the node. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { residentOf } from "../harness/process-usage.ts";
import type { Contender, Ground, Ratio, Run, Scenario } from "../harness/scenario.ts";
import { signToken } from "../load/tokens.ts";
import { PARLEY, PARLEY_EMBEDDED, type Program, SECRET, withProgram } from "./programs.ts";

const FLOODS = [
  "read",
  "status",
  "ping",
  "typing",
  "connectRooms",
  "message",
  "history",
  "resume",
  "stranger",
] as const;
const PEOPLE = 20;
/** Milliseconds between an echo and the next message of the same person. */
const THINKING = 100;
/** Milliseconds after which an echo is counted as lost. */
const PATIENCE = 60_000;
const MEMORY_INTERVAL = 100;

/** Unlike the other scenarios: the limits are what is tried. */
const defaults = {
  settings: {
    CONNECT_RATE: "100",
    CONNECT_BURST: "1000",
    HTTP_RATE: "200",
    HTTP_BURST: "1000",
    TRUST_PROXY: "loopback",
  },
  nodeFlags: ["--max-old-space-size=512"],
};
const foundations: Readonly<Record<string, Program>> = {
  embedded: { ...PARLEY_EMBEDDED, ...defaults },
  services: { ...PARLEY, ...defaults },
};

/** Talks to one other person, a message at a time. */
class Bystander {
  /** Milliseconds from a message to its echo; those still awaited count with the time so far. */
  readonly #echoes: number[] = [];
  readonly #socket: WebSocket;
  readonly #name: string;
  #sentAt: number | null = null;
  #sent = 0;

  private constructor(name: string, socket: WebSocket) {
    this.#name = name;
    this.#socket = socket;
    socket.on("message", (data) => this.#heard(data.toString()));
  }

  static async open(url: string, name: string, path: string): Promise<Bystander> {
    const headers = { authorization: `Bearer ${await signToken(SECRET, name)}` };
    const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers });
    const bystander = new Bystander(name, socket);
    await once(socket, "open");
    return bystander;
  }

  say(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#sent += 1;
    this.#sentAt = performance.now();
    this.#socket.send(JSON.stringify({ type: "chat_message", message: "hello", client_id: this.#id }));
  }

  get #id(): string {
    return `${this.#name}-${this.#sent}`;
  }

  #heard(text: string): void {
    const frame: unknown = JSON.parse(text);
    if (typeof frame !== "object" || frame === null || !("client_id" in frame) || frame.client_id !== this.#id) return;
    if (this.#sentAt === null) return;
    this.#echoes.push(performance.now() - this.#sentAt);
    this.#sentAt = null;
    setTimeout(() => this.say(), THINKING);
  }

  /** Those since it was asked last. */
  takeEchoes(): number[] {
    const waits = this.#sentAt === null ? [] : [performance.now() - this.#sentAt];
    return [...this.#echoes.splice(0), ...waits];
  }

  async end(): Promise<string[]> {
    const deadline = performance.now() + PATIENCE;
    while (this.#sentAt !== null && performance.now() < deadline) await sleep(20);
    this.#socket.terminate();
    return this.#sentAt === null ? [] : ["a bystander's message was not echoed"];
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The most that the process had resident, in MiB, until it is stopped. */
function watchMemory(pid: number): { stop(): number } {
  let most = 0;
  const look = () => {
    most = Math.max(most, residentOf(pid) / 1024);
  };
  const timer = setInterval(look, MEMORY_INTERVAL);
  return {
    stop: () => {
      clearInterval(timer);
      return most;
    },
  };
}

async function startFlood(kind: string, url: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("flood.js", import.meta.url));
  const child = fork(script, [kind, url, "flooder", await signToken(SECRET, "flooder")]);
  const [said] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (said !== "ready") throw new Error(`the flood of ${kind} ended with ${said}`);
  return child;
}

async function run(kind: string, program: Program, ground: Ground): Promise<Run> {
  const { measure, warmUp } = ground.scale;
  const faults: string[] = [];
  const figures = await withProgram(program, ground, faults, async ({ urls: [url = ""], pids: [pid = 0] }) => {
    const names = Array.from({ length: PEOPLE }, (_, index) => `person-${index}`);
    const people: Bystander[] = [];
    for (const [index, name] of names.entries()) {
      people.push(await Bystander.open(url, name, `/ws/${names[index ^ 1]}/`));
    }
    const echoesDuring = async (time: number) => {
      await sleep(time);
      return people.flatMap((person) => person.takeEchoes());
    };
    for (const person of people) person.say();
    await echoesDuring(warmUp);
    const calm = await echoesDuring(measure);
    const atRest = residentOf(pid) / 1024;
    const flooding = await startFlood(kind, url);
    const memory = watchMemory(pid);
    for (const person of people) person.takeEchoes();
    const beside = await echoesDuring(2 * measure);
    flooding.kill("SIGKILL");
    for (const person of people) faults.push(...(await person.end()));
    const [before, during] = [percentile(calm, 0.99), percentile(beside, 0.99)];
    return {
      calm: before,
      p99: during,
      most: Math.max(...beside),
      times: during / before,
      atRest,
      memory: memory.stop(),
    };
  });
  return { figures, faults, loadBusy: null, strangersBusy: null, raw: figures };
}

const contenders: readonly Contender[] = Object.entries(foundations).flatMap(([foundation, program]) =>
  FLOODS.map((kind) => ({
    name: `${kind}, ${foundation}`,
    needs: program.needs,
    run: (ground: Ground) => run(kind, program, ground),
  })),
);

const ratios: readonly Ratio[] = contenders.flatMap(({ name }) => [
  {
    title: `p99 of others, with / without: ${name}`,
    goal: { kind: "at most" as const, value: 3 },
    of: (medians) => medians(name, "times"),
  },
]);

export const bystander: Scenario = {
  name: "bystander",
  work:
    "Ten pairs, each person a message at a time, with the default limits and a heap of 512 MiB, beside one user (or a " +
    "stranger) who floods the node as fast as it reads, or reads nothing.",
  contenders,
  figures: [
    { key: "calm", title: "p99 without, ms", digits: 1 },
    { key: "p99", title: "p99 with, ms", digits: 1 },
    { key: "times", title: "with / without", digits: 2 },
    { key: "most", title: "longest, ms", digits: 0 },
    { key: "atRest", title: "memory before, MiB", digits: 0 },
    { key: "memory", title: "most with, MiB", digits: 0 },
  ],
  ratios,
  onlyByName: true,
};
