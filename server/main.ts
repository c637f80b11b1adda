/** Reads the settings, starts the server, stops it on a signal. */
import { createApp, openFoundations, startServer } from "./app.ts";
import { type Config, ConfigError, loadConfig, readEnvironmentFile } from "./config.ts";
import { CannotStart } from "./core/errors.ts";

function readConfig(): Config {
  try {
    return loadConfig({ ...readEnvironmentFile(".env"), ...process.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(problem);
    return process.exit(1);
  }
}

/** Seconds that a shutdown may take beside the closing of sockets. */
const SHUTDOWN_GRACE = 5;

/**
 * A signal while the server starts ends it at once: nothing is served yet. Without a listener it would be ignored where this is
 * the first process of a container.
 */
const endAtOnce = () => process.exit(0);
process.once("SIGTERM", endAtOnce).once("SIGINT", endAtOnce);

const config = readConfig();
const app = createApp(config);
const { log } = app;

// What nobody foresaw ends the process, as what it left behind is not known; the log says what it was, in its one form. A promise
// that is rejected unheard comes here too.
process.on("uncaughtException", (error, origin) => {
  log.fatal({ err: error, origin }, "a fault that nothing handled");
  process.exit(1);
});

try {
  const foundations = await openFoundations(config, log);
  const server = await startServer(config, foundations, app);
  // Before anybody can connect: whoever sees it listen may stop it.
  const stop = (signal: NodeJS.Signals) => {
    log.info(`${signal}: finishing what is in flight; once more to end at once`);
    // By then the last socket was closed some seconds ago; what still hangs would hang for ever.
    const deadline = config.shutdownSeconds + SHUTDOWN_GRACE;
    setTimeout(() => {
      log.fatal(`could not stop in order within ${deadline} s`);
      process.exit(1);
    }, deadline * 1_000).unref();
    server.close().then(
      () => {
        log.info("stopped");
        process.exit(0);
      },
      (error: unknown) => {
        log.fatal({ err: error }, "could not stop in order");
        process.exit(1);
      },
    );
  };
  process.off("SIGTERM", endAtOnce).off("SIGINT", endAtOnce);
  process.once("SIGTERM", stop).once("SIGINT", stop);
  const address = await app.listen({
    host: config.host,
    port: config.port,
    listenTextResolver: (listening) => `listening on ${listening}`,
  });
  const { developmentTokenSecret: secret } = server;
  if (server.hasWebPage) log.info(`open ${address}/${secret === null ? "" : `#dev=${secret}`} in a browser`);
  log.info(`storing in ${server.describe.storage}`);
  log.info(`channel layer: ${server.describe.layer}`);
  if (secret !== null) {
    log.warn("development mode: no key is configured, so who reads this log gets a token for any name, like this:");
    log.warn(`curl ${address}/api/dev/token --json '${JSON.stringify({ username: "alice", secret })}'`);
  }
} catch (error) {
  // What its operator can do something about is one line; anything else is a fault of ours, and comes with where it is.
  if (error instanceof CannotStart) log.fatal(`the server could not start: ${error.message}`);
  else log.fatal({ err: error }, "the server could not start");
  process.exit(1);
}
