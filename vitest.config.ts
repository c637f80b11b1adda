import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // They have commands of their own: npm run test:faults, npm run test:installation.
    exclude: [...configDefaults.exclude, "tests/faults/**/*.long.test.ts", "tests/installation/**"],
    globalSetup: ["tests/support/global-setup.ts", "tests/page/global-setup.ts"],
    setupFiles: "tests/support/worker-setup.ts",
    reporters: ["default", "./tests/support/summary-reporter.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Milliseconds. Far above what a test takes: they end what hangs, they do not measure.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
  },
});
