/** What is promised of a storage that goes away and comes back, whatever happens to it. */
import { expect } from "vitest";
import { Communicator, HandshakeRefused } from "../support/communicator.ts";
import { tokenFor } from "../support/stack.ts";
import { type Cluster, type ClusterOptions, startCluster } from "./cluster.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { expectHealthy, type Health, healthy, watchHealth, withoutStorage } from "./health.ts";
import { judge, noFaults, report } from "./judge.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

/** Ms in which everything must be right again. */
const RIGHT_AGAIN = 15_000;
/** The close code of what can be tried again. */
const TRY_AGAIN = 1013;

export interface Outage {
  readonly row: string;
  readonly cluster?: Partial<ClusterOptions>;
  /** Ms */
  readonly lasts: number;
  /** Whose storage it is; all nodes' by default. */
  readonly of?: (cluster: Cluster) => readonly ClusterNode[];
  /**
   * "refused": whoever asks is told at once. "silent": nobody is told anything, so that who waits may be answered after it.
   * "given up": silent for longer than a node waits.
   */
  readonly kind: "refused" | "silent" | "given up";
  /** Resolves when storage is away, with what brings it back. */
  begins(cluster: Cluster): Promise<() => void | Promise<void>>;
}

/**
 * Under traffic on two nodes: while storage is away the nodes live, say that they are not ready, and open no socket;
 * then all is right.
 */
export async function expectOutageSurvived(outage: Outage): Promise<void> {
  const { kind, lasts, of = () => cluster.nodes } = outage;
  const cluster = await startCluster({ nodes: 2, postgres: "own", ...outage.cluster });
  const traffic = await startTraffic(cluster);
  await traffic.flows(30);
  const ends = await outage.begins(cluster);
  // Who is not answered sends it all again, and again, and each socket's is handled in order: a flood when it ends.
  if (kind === "given up") traffic.whisper();
  const affected = of(cluster);
  const openings = Promise.all(affected.map((node) => open(node, traffic)));
  const said = await Promise.all(cluster.nodes.map((node) => watchHealth(node, lasts)));
  if (kind !== "silent") expect(await openings).toEqual(affected.map(() => "refused"));
  await ends();
  const mendedAt = performance.now();
  await expectAllRight({ row: outage.row, cluster, traffic, mendedAt });
  for (const outcome of await openings) expect(["opened", "refused"]).toContain(outcome);
  for (const [index, node] of cluster.nodes.entries()) {
    if (affected.includes(node)) expectSaidToBeAway(said[index] ?? []);
    else expect(new Set(said[index]?.map(({ ready }) => ready))).toEqual(new Set([healthy.ready]));
  }
  if (kind !== "silent") expect(unavailable(traffic)).toBeGreaterThan(0);
}

/** It runs again by itself, and nothing is lost, doubled, or wrong within 15 s. */
export async function expectAllRight(after: {
  row: string;
  cluster: Cluster;
  traffic: Traffic;
  mendedAt: number;
}): Promise<void> {
  const { row, cluster, traffic, mendedAt } = after;
  await Promise.all([traffic.flows(30), expectHealthy(cluster.nodes, RIGHT_AGAIN)]);
  await traffic.stop();
  const verdict = await judge(cluster, traffic, { deadline: RIGHT_AGAIN, mendedAt });
  report(`${row} (${unavailable(traffic)} times unavailable)`, traffic, verdict);
  expect(verdict.faults).toEqual(noFaults);
}

/** How often somebody was told that what they asked for was not stored. */
export function unavailable({ rooms }: Traffic): number {
  return rooms.reduce((total, { record }) => total + record.unavailable, 0);
}

/** From the first time on until the end; it lives all the while. */
function expectSaidToBeAway(answers: readonly Health[]): void {
  const first = answers.findIndex(({ ready }) => ready !== healthy.ready);
  const away = first === -1 ? answers : answers.slice(first);
  expect(away).toEqual(away.map(() => withoutStorage));
  expect(new Set(answers.map(({ alive }) => alive))).toEqual(new Set([healthy.alive]));
}

/**
 * Another socket of somebody who is there: "opened", when it is told who else is; "refused", when it may try again, whether
 * that is said before there is a socket or by its close code; otherwise what happened to it.
 */
async function open({ sockets }: ClusterNode, { conversations }: Traffic): Promise<string> {
  const [conversation] = conversations;
  const token = await tokenFor(conversation?.people[0] ?? "");
  try {
    const socket = await Communicator.connect(`${sockets}/ws/${conversation?.id}/`, token);
    const opened = new Promise<string>((resolve) => {
      socket.socket.on("message", (data) => {
        if (JSON.parse(data.toString()).type === "online_user_list") resolve("opened");
      });
    });
    const closed = socket.closed.then(({ code }) => (code === TRY_AGAIN ? "refused" : `closed with ${code}`));
    const outcome = await Promise.race([opened, closed]);
    socket.socket.terminate();
    return outcome;
  } catch (error) {
    const mayTryAgain = error instanceof HandshakeRefused && error.body.error.code === "unavailable";
    return mayTryAgain ? "refused" : `${error}`;
  }
}
