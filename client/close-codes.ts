/**
 * Why a connection ended: a close code of the protocol (1000 and up), or the HTTP status (401, 409) that refused its
 * handshake. 1000 is the client's own closing, 1006 a line that broke.
 */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

export const CLOSED_HERE: CloseReason = { code: 1000, reason: "closed by this client" };
export const NO_ANSWER: CloseReason = { code: 1006, reason: "no answer" };
export const TOKEN_EXPIRED = 4401;
export const UNAUTHORIZED = 401;
export const TOO_LARGE = 1009;
export const TOO_MANY_SOCKETS = 4429;

/**
 * After these the same attempt would end the same way: a username that another has (HTTP 409), too many bad frames, a frame
 * too large, no longer a member, no such room. After any other code, a broken line among them, a client comes back.
 */
const FINAL: ReadonlySet<number> = new Set([409, 1008, TOO_LARGE, 4403, 4404]);

export function isFinal(code: number): boolean {
  return FINAL.has(code);
}
