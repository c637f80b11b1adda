/**
 * Every code the server closes a socket with, named once. 1000 to 1015 are RFC 6455's and its registry's; 4400 to 4499
 * are ours, shaped after the HTTP status they resemble. `reconnect` is the advice a client library follows.
 */
export const closeCodes = {
  goingAway: { code: 1001, reconnect: true, reason: "the server is shutting down" },
  policyViolation: { code: 1008, reconnect: false, reason: "too many bad frames" },
  tooLarge: { code: 1009, reconnect: false, reason: "frame larger than MAX_FRAME_BYTES" },
  internal: { code: 1011, reconnect: true, reason: "internal error" },
  restarting: { code: 1012, reconnect: true, reason: "the server is restarting" },
  unavailable: { code: 1013, reconnect: true, reason: "storage or the channel layer is down, try again" },
  /** After a fresh token. */
  tokenExpired: { code: 4401, reconnect: true, reason: "token expired" },
  notAMember: { code: 4403, reconnect: false, reason: "no longer a member" },
  noSuchRoom: { code: 4404, reconnect: false, reason: "no such room" },
  /** The client did not read what it was sent; it resumes with the last seq it has. */
  tooSlow: { code: 4408, reconnect: true, reason: "too slow: unsent bytes over MAX_BUFFERED_BYTES" },
  /** After a longer wait: it takes the end of another socket of this user. */
  tooManySockets: { code: 4429, reconnect: true, reason: "too many sockets for one user" },
} as const;

export type CloseName = keyof typeof closeCodes;
