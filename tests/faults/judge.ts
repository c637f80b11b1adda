/** Whether the promises were kept: what people were told against what the database says. */
import { setTimeout as sleep } from "node:timers/promises";
import { Communicator } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import type { Cluster } from "./cluster.ts";
import type { Faults } from "./faults.ts";
import { compareTold } from "./told.ts";
import type { Conversation, Traffic } from "./traffic.ts";
import { readTruth } from "./truth.ts";

export { type Faults, noFaults } from "./faults.ts";

export interface Verdict {
  readonly faults: Faults;
  /** Changes told, over all sockets. */
  readonly delivered: number;
  /** Ms from `mendedAt` until all was right; null when it was not in time. */
  readonly rightAgain: number | null;
}

export interface JudgeOptions {
  /** Ms after `mendedAt` in which all must be right. */
  readonly deadline: number;
  /** When the fault was over, by `performance.now()`; now, by default. */
  readonly mendedAt?: number;
  /**
   * "permitted" where a node was dead or stopped for longer than its lease: then the others rightly say that its people
   * left. "counted" by default.
   */
  readonly leaves?: "counted" | "permitted";
}

/** Ms between two looks. */
const INTERVAL = 250;

/** Looks until all is right or the deadline is over. The traffic has been stopped. */
export async function judge(cluster: Cluster, traffic: Traffic, options: JudgeOptions): Promise<Verdict> {
  const { deadline, mendedAt = performance.now(), leaves = "counted" } = options;
  for (;;) {
    const elapsed = Math.max(0, Math.round(performance.now() - mendedAt));
    const { told, delivered } = compareTold(await readTruth(cluster), traffic);
    const presence = {
      wrongPresence: countWrongPresence(traffic) + (await countWrongLists(cluster, traffic)),
      falseLeaves: leaves === "counted" ? countFalseLeaves(traffic) : 0,
      closed: traffic.lines.filter((line) => !line.isOpen).length,
    };
    const isRight = Object.values({ ...told, ...presence }).every((count) => count === 0);
    const rightAgain = isRight && elapsed <= deadline ? elapsed : null;
    if (rightAgain !== null || elapsed > deadline) {
      return { faults: { ...told, ...presence, late: rightAgain === null ? 1 : 0 }, delivered, rightAgain };
    }
    await sleep(INTERVAL);
  }
}

/** One line for a table of what was measured. */
export function report(row: string, traffic: Traffic, { faults, delivered, rightAgain }: Verdict): void {
  const { ledger } = traffic;
  const { acknowledged, longestSilence } = ledger;
  const interruptions = traffic.lines.reduce((total, line) => total + line.interruptions, 0);
  const visits = traffic.visitors.reduce((total, visitor) => total + visitor.visits, 0);
  const wrong = Object.fromEntries(Object.entries(faults).filter(([, count]) => count > 0));
  const measured = {
    sent: ledger.messages.size,
    acknowledged,
    delivered,
    interruptions,
    visits,
    longestSilence,
    rightAgain,
  };
  console.log(`fault row: ${row}: ${JSON.stringify({ ...measured, ...wrong })}`);
}

function isSame(names: Iterable<string>, others: readonly string[]): boolean {
  return [...names].sort().join() === others.join();
}

function countWrongPresence(traffic: Traffic): number {
  const { rooms } = traffic;
  return rooms.filter(({ record }) => !isSame(record.present, traffic.present(record.conversationId))).length;
}

/** What a fresh socket is told on each node; one that is not opened counts as wrong. */
async function countWrongLists(cluster: Cluster, traffic: Traffic): Promise<number> {
  const looks = cluster.runningNodes.flatMap(({ sockets }) =>
    traffic.conversations.map(async (conversation) => {
      const listed = await listOf(sockets, conversation);
      return listed !== null && isSame(listed, traffic.present(conversation.id));
    }),
  );
  return (await Promise.all(looks)).filter((isRight) => !isRight).length;
}

/** By another socket of somebody who is there already: nobody comes or goes by it. */
async function listOf(sockets: string, { id, people }: Conversation): Promise<readonly string[] | null> {
  const [person = ""] = people;
  const socket = await Communicator.connect(`${sockets}/ws/${id}/`, await tokenFor(person)).catch(() => null);
  if (socket === null) return null;
  try {
    const { users } = await socket.receive();
    return users;
  } catch {
    return null;
  } finally {
    socket.socket.terminate();
  }
}

function countFalseLeaves({ rooms }: Traffic): number {
  let count = 0;
  for (const { record } of rooms) {
    for (const person of record.leaves) {
      const line = rooms.find(
        (other) => other.person === person && other.record.conversationId === record.conversationId,
      );
      if (line?.isOpen && line.interruptions === 0) count += 1;
    }
  }
  return count;
}
