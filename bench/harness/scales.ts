import type { Mode } from "./arguments.ts";
import type { Scale } from "./scenario.ts";

/** About ten minutes, under three, and under one and a half, for all scenarios. */
export const scales: Readonly<Record<Mode, Scale>> = {
  full: { repetitions: 3, warmUp: 1_250, measure: 3_500, idleSockets: 5_000, unread: 100_000 },
  quick: { repetitions: 1, warmUp: 1_000, measure: 2_000, idleSockets: 5_000, unread: 100_000 },
  smoke: { repetitions: 1, warmUp: 200, measure: 600, idleSockets: 200, unread: 1_000 },
};
