/**
 * Preloaded into every server under test: at SIGUSR2 it collects all garbage and says so on standard output.
 *
 * Resident memory of a V8 process that was not asked to collect is mostly the garbage since the last collection, whose
 * time differs from run to run. The signal costs nothing while it does not come; an inspector would be memory of its own.
 */
const { gc } = globalThis;
if (gc === undefined) throw new Error("start node with --expose-gc");

process.on("SIGUSR2", () => {
  // What a first collection finalizes, such as the native side of a closed socket, becomes garbage for a second one.
  gc();
  setImmediate(() => {
    gc();
    process.stdout.write(`${JSON.stringify({ collected: true })}\n`);
  });
});
