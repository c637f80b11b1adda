/** Nothing of the library goes on running once everything is closed: a program that has used it comes to its end. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { describeOnBoth, tokenFor } from "../support/stack.ts";
import { people, urlOf } from "./clients.ts";

const run = promisify(execFile);
/** In ms: what it is killed after if it does not end by itself. Less than the timer of a line that is open (25 s). */
const TIME = 15_000;

describeOnBoth("a process of its own", {}, (stack) => {
  test("ends by itself when it has closed what it opened, in whatever state that was", async () => {
    const [visitor] = people("visitor");
    await stack().introduce("somebody");
    const gone = await stack().startNode();
    await gone.server.close();
    const args = ["--import", "tsx", "tests/client/one-visit.ts", urlOf(stack()), gone.http, await tokenFor(visitor)];
    // Rejects when it was killed, or failed.
    const { stdout, stderr } = await run(process.execPath, args, { timeout: TIME, killSignal: "SIGKILL" });
    expect(stderr).toBe("");
    expect(stdout).toBe("sent hello\nclosed\n");
  });
});
