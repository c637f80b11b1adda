/** `ws-bare` with an INSERT for each message, committed before it is echoed: DATABASE_URL. */
import { runChannelsPeer } from "./channels-peer.ts";
import { openPostgresStorage } from "./postgres-storage.ts";
import { setting } from "./settings.ts";

await runChannelsPeer(await openPostgresStorage(setting("DATABASE_URL")));
