import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeLeaving } from "./contract-leaving.ts";
import { describePublishing } from "./contract-publishing.ts";
import { describeRoster } from "./contract-roster.ts";
import type { Current, Nodes } from "./nodes.ts";

/** What every channel layer keeps to. */
export function describeLayer(name: string, setUp: () => Promise<Nodes>): void {
  describe(`channel layer: ${name}`, () => {
    let now: ReturnType<Current>;
    const current = () => now;

    beforeEach(async () => {
      const nodes = await setUp();
      const [a, b, c] = await Promise.all([nodes.join(), nodes.join(), nodes.join()]);
      now = { nodes, a, b, c };
    });
    afterEach(() => now.nodes.close());

    test("every node has an id of its own", () => {
      const { a, b, c } = current();
      expect(new Set([a.nodeId, b.nodeId, c.nodeId]).size).toBe(3);
    });

    test("it answers", async () => {
      await expect(current().a.ping()).resolves.toBeUndefined();
    });

    describePublishing(current);
    describeRoster(current);
    describeLeaving(current);
  });
}
