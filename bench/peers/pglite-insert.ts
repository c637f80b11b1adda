/** `ws-bare` with an INSERT for each message into a PGlite in DATA_DIR, committed before it is echoed. */
import { runChannelsPeer } from "./channels-peer.ts";
import { openPgliteStorage } from "./pglite-storage.ts";
import { setting } from "./settings.ts";

await runChannelsPeer(await openPgliteStorage(setting("DATA_DIR")));
