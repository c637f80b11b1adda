/**
 * Every row of the fault suite, those that take long among them: `npm run test:faults`. Rows wait for most of their time;
 * `-- --maxWorkers=1` runs one after the other, for a table of what they measure.
 */
import { configDefaults, defineConfig } from "vitest/config";
import tests from "./vitest.config.ts";

export default defineConfig({
  test: {
    ...tests.test,
    include: ["tests/faults/**/*.test.ts"],
    exclude: configDefaults.exclude,
    // No row looks at the page.
    globalSetup: ["tests/support/global-setup.ts"],
  },
});
