import type { Reporter, SerializedError, TestModule, TestSuite, Vitest } from "vitest/node";
import { missingServices } from "./services-provided.ts";

/** Says why suites were skipped and, in the very last line, how many tests passed, failed and were skipped. */
export default class SummaryReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const services = this.#vitest?.getRootProject().getProvidedContext().services;
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    if (services === undefined) {
      // The global set-up failed; vitest says why afterwards.
      count.failed += 1;
    } else {
      for (const { name, reason } of missingServices(services)) console.log(`${name} suites skipped: ${reason}`);
    }
    for (const module of modules) {
      count.failed += failuresOutsideTests(module);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // What was still pending when the run was interrupted has not passed.
        count[state === "pending" ? "failed" : state] += 1;
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

/** A file that does not load, or a failing hook of a suite: no test of theirs says so. */
function failuresOutsideTests(module: TestModule): number {
  const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
  return suites.filter((suite) => suite.errors().length > 0).length;
}
