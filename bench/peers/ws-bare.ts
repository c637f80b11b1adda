/** Parley's dialect on plain `ws`, in memory alone: the least that a server in this language does for a delivery. */
import { runChannelsPeer } from "./channels-peer.ts";

await runChannelsPeer(null);
