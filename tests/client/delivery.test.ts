/** The promise of the library: over whatever lines, each message is stored once and delivered once, in order. */
import { expect, test } from "vitest";
import { describeOnBoth } from "../support/stack.ts";
import { generous } from "./clients.ts";
import { cuttingProxy, seed } from "./cutting-proxy.ts";
import { expectPromiseKept } from "./talkers.ts";

describeOnBoth("messages over lines that are cut", { settings: generous }, (stack) => {
  test(`what two people send is stored once, and delivered to both once, in order and without a gap (DELIVERY_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    const proxy = await cuttingProxy(stack, { maxBytes: 16_000 });
    const { resumed, unacknowledged } = await expectPromiseKept(stack(), { url: proxy.url, messages: 1_000 });
    // The lines were as bad as they were meant to be.
    expect(proxy.cuts).toBeGreaterThan(50);
    expect(resumed).toBeGreaterThan(50);
    expect(unacknowledged).toBeGreaterThan(0);
  });
});

describeOnBoth("messages over lines that are cut, to two nodes in turn", { nodes: 2, settings: generous }, (stack) => {
  test(`what two people send is stored once, and delivered to both once, in order and without a gap (DELIVERY_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    const proxy = await cuttingProxy(stack, { maxBytes: 8_000 });
    const { resumed } = await expectPromiseKept(stack(), { url: proxy.url, messages: 300 });
    expect(proxy.cuts).toBeGreaterThan(20);
    expect(resumed).toBeGreaterThan(20);
  });
});
