/** What axe-core finds wrong with a page as it is now, for people who do not see it or use no mouse. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One line for each element with a serious or critical violation: rule, element, and what is wrong. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy lets no script of ours in.
  await page.evaluate(source);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 120)}: ${node.failureSummary ?? ""}`));
}
