/** `npm run test:soak`, which sets SOAK_MINUTES and SOAK_SEED: see scripts/soak.ts. */
import { defineConfig } from "vitest/config";
import faults from "./vitest.faults.config.ts";

export default defineConfig({
  test: { ...faults.test, include: ["tests/faults/soak.ts"], disableConsoleIntercept: true },
});
