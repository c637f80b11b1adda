/** Milliseconds between two runs, where nothing else is said. */
const INTERVAL = 300;

/**
 * A function that runs `task` soon. However often it is called, one run is under way at a time, what is asked for meanwhile
 * is one more run afterwards, and runs begin at least `interval` ms apart. `task` deals with its own failures.
 */
export function coalesced(task: () => Promise<void>, signal: AbortSignal, interval = INTERVAL): () => void {
  let isAsked = false;
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (isAsked && !signal.aborted) {
      isAsked = false;
      await Promise.all([task(), pause(interval)]);
    }
    isRunning = false;
  }

  return () => {
    isAsked = true;
    if (!isRunning) void run();
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
