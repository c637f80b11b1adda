import { vi } from "vitest";
import type { ChannelLayer, RosterChange } from "../../server/channel-layer/layer.ts";

/** The nodes of one test. */
export interface Nodes {
  join(): Promise<ChannelLayer>;
  /** The node dies without a word. */
  kill(layer: ChannelLayer): void;
  close(): Promise<void>;
}

/** The nodes of the test that runs now, three of which have joined. */
export type Current = () => { nodes: Nodes; a: ChannelLayer; b: ChannelLayer; c: ChannelLayer };

export interface Heard {
  readonly messages: { group: string; payload: string }[];
  readonly changes: RosterChange[];
}

export function hear(layer: ChannelLayer): Heard {
  const heard: Heard = { messages: [], changes: [] };
  layer.onMessage((group, payload) => heard.messages.push({ group, payload }));
  layer.roster.onChange((change) => heard.changes.push(change));
  return heard;
}

/**
 * Milliseconds that anything here may take: the longest is a lease that was lost, is given anew, and runs out, with the sweep
 * after it. It ends what hangs, it does not measure.
 */
const DEADLINE = 30_000;

/** Resolves when the expectation holds; rejects with its failure when it never does. */
export function eventually(expectation: () => unknown): Promise<unknown> {
  return vi.waitFor(expectation, { timeout: DEADLINE, interval: 10 });
}

export const announced = { announced: true, listed: 1_000 };
export const unannounced = { announced: false, listed: 1_000 };
