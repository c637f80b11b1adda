/** The five socket paths, with what may be said on them by either side, and what a frame deserves. */
import type { z } from "zod";
import {
  conversationNotificationsServerFrame,
  notificationsClientFrame,
  notificationsServerFrame,
  roomClientFrames,
  roomServerFrame,
} from "../../server/protocol/channels.ts";
import { acknowledgement, clientEnvelope, errorEnvelope } from "../../server/protocol/envelope.ts";
import { liveChatClientEvents, liveChatServerEvents } from "../../server/protocol/live-chat.ts";
import { room, roomsClientEvents, roomsMessage, roomsServerEvents } from "../../server/protocol/rooms.ts";
import type { Frame } from "../support/communicator.ts";

/** The default of MAX_MESSAGE_CHARS. */
export const MAX_MESSAGE_CHARS = 10_000;

export type Path = "room" | "notifications" | "conversationNotifications" | "chat" | "rooms";

interface Dialects {
  readonly client:
    | { readonly dialect: "channels"; readonly frames: z.ZodType; readonly types: readonly string[] }
    | { readonly dialect: "events"; readonly events: Readonly<Record<string, z.ZodType>> };
  readonly server: z.ZodType | Readonly<Record<string, z.ZodType>>;
}

const pingAlone = { dialect: "channels", frames: notificationsClientFrame, types: ["ping"] } as const;
const roomFrames = roomClientFrames(MAX_MESSAGE_CHARS);

export const SCHEMAS: Readonly<Record<Path, Dialects>> = {
  room: {
    client: {
      dialect: "channels",
      frames: roomFrames,
      types: roomFrames.options.map(({ shape }) => shape.type.value),
    },
    server: roomServerFrame,
  },
  notifications: { client: pingAlone, server: notificationsServerFrame },
  conversationNotifications: { client: pingAlone, server: conversationNotificationsServerFrame },
  chat: {
    client: { dialect: "events", events: liveChatClientEvents(MAX_MESSAGE_CHARS) },
    server: liveChatServerEvents,
  },
  rooms: {
    client: { dialect: "events", events: roomsClientEvents(MAX_MESSAGE_CHARS) },
    server: roomsServerEvents,
  },
};

export type Verdict =
  | { readonly kind: "refused"; readonly code: "invalid_json" | "invalid_frame" | "unknown_type" }
  | { readonly kind: "taken" };

const taken: Verdict = { kind: "taken" };
const refused = (code: "invalid_json" | "invalid_frame" | "unknown_type"): Verdict => ({ kind: "refused", code });

/** What docs/protocol.md says of a text on this path. */
export function verdictOn(path: Path, text: string): Verdict {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return refused("invalid_json");
  }
  const { client } = SCHEMAS[path];
  if (client.dialect === "channels") {
    const type = isRecord(frame) && Object.hasOwn(frame, "type") ? frame.type : undefined;
    if (typeof type !== "string") return refused("invalid_frame");
    if (!client.types.includes(type)) return refused("unknown_type");
    return client.frames.safeParse(frame).success ? taken : refused("invalid_frame");
  }
  const envelope = clientEnvelope.safeParse(frame);
  if (!envelope.success) return refused("invalid_frame");
  const { event, data = {} } = envelope.data;
  if (!Object.hasOwn(client.events, event)) return refused("unknown_type");
  return client.events[event]?.safeParse(data).success === true ? taken : refused("invalid_frame");
}

/** What is wrong with a frame of the server's; undefined when nothing is. */
export function objectionTo(path: Path, username: string, frame: Frame): unknown {
  const { server } = SCHEMAS[path];
  if (isSchema(server)) return server.safeParse(frame).error?.issues;
  const { event, data, ...more } = frame;
  if (event === "ack") return acknowledgement.safeParse(frame).error?.issues;
  if (event === "error") return errorEnvelope.safeParse(frame).error?.issues;
  const named: Readonly<Record<string, z.ZodType>> =
    path === "rooms" ? { [username]: roomsMessage, [`group_${username}`]: room } : {};
  const schema = Object.hasOwn(server, event) ? server[event] : named[event];
  if (schema === undefined || Object.keys(more).length > 0) return "no event of this path";
  return schema.safeParse(data).error?.issues;
}

function isSchema(server: Dialects["server"]): server is z.ZodType {
  return "safeParse" in server && typeof server.safeParse === "function";
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
