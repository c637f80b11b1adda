/** The server that the tests' browsers go to: in this process, with development tokens and the built page. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp, openFoundations, type Server, startServer } from "../../server/app.ts";
import { askingSecret, developmentSecret } from "../../server/auth/development-secret.ts";
import { loadConfig } from "../../server/config.ts";
import { leaveWill } from "../support/last-will.ts";
import { freePort } from "../support/server-process.ts";
import { UNLIMITED } from "../support/unlimited.ts";

export interface PageServer {
  /** `http://127.0.0.1:port`, the same after a restart. */
  readonly url: string;
  /** What its log shows, and asks of who wants a development token. */
  readonly secret: string;
  /** In the same place, with everything that was stored. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it, and removes what was stored. */
  remove(): Promise<void>;
}

/** Starts a server that gives the page in `folder`, on a port and a data directory of its own. */
export async function startPageServer(folder: string, settings: Record<string, string> = {}): Promise<PageServer> {
  const directory = await mkdtemp(join(tmpdir(), "parley-page-data-"));
  const will = leaveWill(["rm", "-rf", directory]);
  const port = await freePort();
  const config = loadConfig({ NODE_ENV: "test", LOG_LEVEL: "silent", DATA_DIR: directory, ...UNLIMITED, ...settings });
  let running: Server | null = null;

  const start = async () => {
    const app = createApp(config);
    running = await startServer(config, await openFoundations(config, app.log), app, folder);
    await app.listen({ host: "127.0.0.1", port });
  };
  const stop = async () => {
    await running?.close();
    running = null;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    secret: askingSecret(await developmentSecret(directory)),
    start,
    stop,
    remove: async () => {
      await stop();
      await will.execute();
    },
  };
}
