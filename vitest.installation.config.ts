/**
 * The server as it is installed: `npm run test:installation`. A command of its own because it asks the package registry, and
 * needs a build (`npm run build`) to install.
 */
import { defineConfig } from "vitest/config";
import tests from "./vitest.config.ts";

export default defineConfig({
  test: {
    ...tests.test,
    include: ["tests/installation/**/*.test.ts"],
    exclude: [],
    globalSetup: ["tests/support/global-setup.ts"],
    // Milliseconds: an installation takes some seconds, a build on a loaded machine more.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
