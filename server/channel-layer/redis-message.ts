/**
 * What travels on a group's Redis channel. Read from the bytes, so that a node's own payloads, which Redis hands back to it
 * as well, are dropped without being decoded:
 *
 * - `m<node id><payload>`: a published payload, and who published it;
 * - `r<version>+<member>` or `r<version>-<member>`: a member came or went (published by the roster's scripts).
 */
export type RedisMessage =
  | { readonly kind: "own" }
  | { readonly kind: "payload"; readonly payload: string }
  | { readonly kind: "change"; readonly member: string; readonly present: boolean; readonly version: number }
  /** Nothing that a node of this version publishes. */
  | { readonly kind: "foreign" };

/** Bytes. Far more than a node ever publishes at once; it is not even made a string. */
const MAX_MESSAGE = 32 * 1024 * 1024;
/** Versions begin with Redis' clock in microseconds, which stays below this for another eighty years. */
const MAX_VERSION = 2 ** 52;

const PAYLOAD = "m".charCodeAt(0);
const CHANGE = "r".charCodeAt(0);
const CAME = "+".charCodeAt(0);
const WENT = "-".charCodeAt(0);

export function encodePayload(nodeId: string, payload: string): string {
  return `m${nodeId}${payload}`;
}

/** `self` is this node's id; all ids have its length. */
export function decodeMessage(message: Buffer, self: Buffer): RedisMessage {
  const afterNode = 1 + self.length;
  if (message.length > MAX_MESSAGE) return { kind: "foreign" };
  switch (message[0]) {
    case PAYLOAD:
      if (message.length < afterNode) return { kind: "foreign" };
      if (message.compare(self, 0, self.length, 1, afterNode) === 0) return { kind: "own" };
      return { kind: "payload", payload: message.toString("utf8", afterNode) };
    case CHANGE:
      return decodeChange(message);
    default:
      return { kind: "foreign" };
  }
}

function decodeChange(message: Buffer): RedisMessage {
  const sign = message.findIndex((byte) => byte === CAME || byte === WENT);
  const version = Number(message.toString("latin1", 1, sign));
  if (sign < 2 || !Number.isInteger(version) || version < 0 || version > MAX_VERSION) return { kind: "foreign" };
  return { kind: "change", member: message.toString("utf8", sign + 1), present: message[sign] === CAME, version };
}
