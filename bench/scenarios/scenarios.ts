/** All there are, in the order in which they are run. */
import type { Scenario } from "../harness/scenario.ts";
import { bystander } from "./bystander.ts";
import { embedded } from "./embedded.ts";
import { idle } from "./idle.ts";
import { openBadge } from "./open-badge.ts";
import { allPairs } from "./pairs.ts";
import { rooms } from "./rooms.ts";
import { single } from "./single.ts";
import { tenThousand } from "./ten-thousand.ts";
import { twoNodes } from "./two-nodes.ts";

export const scenarios: readonly Scenario[] = [
  ...rooms,
  ...allPairs,
  single,
  idle,
  openBadge,
  twoNodes,
  embedded,
  bystander,
  tenThousand,
];
