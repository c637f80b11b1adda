/** Whether a server takes no harm: what it logs, and what nobody caught. */
import { expect, onTestFinished, vi } from "vitest";
import type { Stack } from "../support/stack.ts";

/** Call it before anything is tried; what it returns is called when all was. */
export function watchForHarm(stack: Stack): () => void {
  const uncaught = vi.fn();
  process.on("uncaughtException", uncaught).on("unhandledRejection", uncaught);
  onTestFinished(() => {
    process.off("uncaughtException", uncaught).off("unhandledRejection", uncaught);
  });
  const logged = stack.nodes.flatMap(({ server }) => [
    vi.spyOn(server.app.log, "error"),
    vi.spyOn(server.app.log, "fatal"),
  ]);
  onTestFinished(() => {
    for (const each of logged) each.mockRestore();
  });
  return () => {
    expect(uncaught.mock.calls).toEqual([]);
    expect(logged.flatMap((each) => each.mock.calls)).toEqual([]);
  };
}
