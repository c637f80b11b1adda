/** Every row of the fault suite, those that take long among them: `npm run test:faults`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/faults/**/*.test.ts"],
    globalSetup: ["tests/support/global-setup.ts"],
    setupFiles: "tests/support/worker-setup.ts",
    reporters: ["default", "./tests/support/summary-reporter.ts"],
    pool: "forks",
    // Rows wait for most of their time; `-- --maxWorkers=1` runs one after the other, for a table of what they measure.
    maxWorkers: 2,
    // Milliseconds. Far above what a test takes: they end what hangs, they do not measure.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
  },
});
