/** The load generator as a process: forked by the runner, driven over IPC. */
import type { Order, Report } from "./plan.ts";
import { Run } from "./run.ts";

let run: Run | null = null;

process.on("message", (order: Order) => {
  obey(order).catch((error: unknown) => {
    report({ report: "failed", reason: error instanceof Error ? error.message : String(error) });
  });
});
// The runner is gone: nobody waits for what is measured here.
process.on("disconnect", () => process.exit());

async function obey(order: Order): Promise<void> {
  switch (order.order) {
    case "plan":
      run = new Run(order.plan);
      await run.open();
      report({ report: "ready" });
      return;
    case "go": {
      if (run === null) throw new Error("go came before a plan");
      const result = await run.measure((moment) => report({ report: moment }));
      report({ report: "done", result });
      return;
    }
    case "stop":
      await run?.close();
      process.disconnect();
  }
}

function report(message: Report): void {
  process.send?.(message);
}
