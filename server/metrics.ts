/** What an operator watches, for `GET /metrics`. Read when asked for: nothing is added to the paths that it counts. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { LargeReads } from "./core/large-reads.ts";
import { refusalsMade } from "./http/errors.ts";
import { encodings } from "./transport/delivery.ts";
import type { Hub } from "./transport/hub.ts";
import type { RoomPresences } from "./transport/presence.ts";
import type { Transport, TransportCounters } from "./transport/transport.ts";
import type { UserFeeds } from "./transport/user-feeds.ts";

const COUNTERS: readonly { key: keyof TransportCounters; name: string; help: string }[] = [
  { key: "framesReceived", name: "parley_frames_received_total", help: "Frames that clients sent" },
  { key: "framesSent", name: "parley_frames_sent_total", help: "Frames written to sockets" },
  { key: "bytesSent", name: "parley_bytes_sent_total", help: "Bytes of frames written to sockets" },
  { key: "socketWrites", name: "parley_socket_writes_total", help: "Writes those frames left in" },
  { key: "slowReaders", name: "parley_slow_readers_total", help: "Sockets closed with 4408" },
  { key: "silentPeers", name: "parley_silent_peers_total", help: "Sockets cut after two unanswered pings" },
];

export function createMetrics(parts: {
  transport: Transport;
  work: { readonly commandsUnderWay: number; readonly framesRefused: number };
  hub: Hub;
  userFeeds: UserFeeds;
  presences: RoomPresences;
  roomMembers: { readonly size: number };
  largeReads: Pick<LargeReads, "counts">;
}): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  for (const { key, name, help } of COUNTERS) counter(registers, name, help, () => parts.transport.counters[key]);
  counter(registers, "parley_encodings_total", "Events encoded for a dialect", () => encodings.made);
  const { unreadable, faults } = parts.hub;
  counter(
    registers,
    "parley_unreadable_payloads_total",
    "Payloads of other nodes that were not understood",
    () => unreadable.count,
  );
  counter(registers, "parley_listener_faults_total", "Faults of what hears events on this node", () => faults.count);
  const { work } = parts;
  counter(registers, "parley_frames_refused_total", "Frames beyond COMMAND_RATE", () => work.framesRefused);
  gauge(registers, "parley_commands_under_way", "Commands of sockets not answered yet", () => work.commandsUnderWay);
  gauge(registers, "parley_sockets", "Open sockets", () => parts.transport.connections.size);
  gauge(registers, "parley_groups", "Channel layer groups listened to", () => parts.hub.size);
  gauge(registers, "parley_user_feeds", "Users whose conversations are followed", () => parts.userFeeds.size);
  gauge(registers, "parley_presence_rooms", "Rooms that somebody is in", () => parts.presences.size);
  gauge(registers, "parley_room_member_lists", "Rooms whose members are kept", () => parts.roomMembers.size);
  new Counter({
    name: "parley_refusals_total",
    help: "HTTP and upgrade requests answered with an error, by its code",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of Object.entries(refusalsMade)) this.inc({ code }, count);
    },
  });
  const { largeReads } = parts;
  gauge(
    registers,
    "parley_large_reads",
    "Large reads whose answer was not taken yet",
    () => largeReads.counts.underWay,
  );
  gauge(registers, "parley_large_reads_waiting", "Large reads in the line", () => largeReads.counts.waiting);
  gauge(registers, "parley_answer_bytes", "Bytes of answers that were not taken yet", () => largeReads.counts.bytes);
  return registry;
}

function counter(registers: Registry[], name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}
