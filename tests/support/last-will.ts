import { spawn } from "node:child_process";

/**
 * A command that is run when this process lets go of it or dies, whatever it dies of. A test run that is interrupted or
 * killed has no time to clean up after itself; a shell that waits for the end of a pipe has.
 */
export interface LastWill {
  /** Runs the command now, not only at this process's end. Rejects when it failed. */
  execute(): Promise<void>;
}

export function leaveWill(command: readonly string[], environment: Readonly<Record<string, string>> = {}): LastWill {
  const executor = spawn("sh", ["-c", 'read -r _; exec "$@"', "sh", ...command], {
    // In a process group of its own: Ctrl-C in a terminal goes to all of the group in front.
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ["pipe", "ignore", "ignore"],
  });
  executor.unref();
  const outcome = new Promise<Error | null>((resolve) => {
    executor.once("error", resolve);
    executor.once("exit", (code, signal) =>
      resolve(code === 0 ? null : new Error(`${command.join(" ")} ended with ${code ?? signal}`)),
    );
  });
  return {
    execute: async () => {
      executor.ref();
      executor.stdin.end();
      const error = await outcome;
      if (error !== null) throw error;
    },
  };
}
