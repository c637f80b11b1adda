/** What nodes say of themselves to whoever leads clients to them. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import type { ClusterNode } from "./cluster-node.ts";

export interface Health {
  /** HTTP status of `/healthz`. */
  readonly alive: number;
  /** HTTP status of `/readyz`, and what it says is there. */
  readonly ready: number;
  readonly storage: string;
  readonly channelLayer: string;
}

export const healthy: Health = { alive: 200, ready: 200, storage: "ok", channelLayer: "ok" };
export const withoutStorage: Health = { alive: 200, ready: 503, storage: "unavailable", channelLayer: "ok" };

/** Ms between two questions. */
const INTERVAL = 100;

async function healthOf({ url }: ClusterNode): Promise<Health> {
  const [alive, ready] = await Promise.all([fetch(`${url}/healthz`), fetch(`${url}/readyz`)]);
  await alive.arrayBuffer();
  const { storage, channel_layer } = (await ready.json()) as { storage: string; channel_layer: string };
  return { alive: alive.status, ready: ready.status, storage, channelLayer: channel_layer };
}

/** Asks a node again and again for so many ms. Resolves with all its answers, the last of them to a question after that. */
export async function watchHealth(node: ClusterNode, time: number): Promise<Health[]> {
  const until = performance.now() + time;
  const answers: Health[] = [];
  while (performance.now() < until) {
    answers.push(await healthOf(node));
    await sleep(INTERVAL);
  }
  return [...answers, await healthOf(node)];
}

/** Rejects when one of them is not healthy within so many ms. */
export async function expectHealthy(nodes: readonly ClusterNode[], time: number): Promise<void> {
  const looks = nodes.map((node) =>
    vi.waitFor(async () => expect(await healthOf(node), `node ${node.index}`).toEqual(healthy), time),
  );
  await Promise.all(looks);
}
