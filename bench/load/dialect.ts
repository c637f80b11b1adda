/** What the load generator needs to know of a wire: how a socket is opened, what is sent, and which frame is which. */

/** A server's frame, as far as it matters here. Small numbers, as they are compared for each frame. */
export const KIND = {
  /** A room's message: has `seq` and `client_id`. */
  message: 0,
  /** A badge: has `unread_count`. */
  badge: 1,
  /** An error, or nothing that this wire knows. */
  refusal: 2,
  /** Asks for the wire's own sign of life. */
  keepAlive: 3,
  /** Passed over. */
  other: 4,
} as const;
export type FrameKind = (typeof KIND)[keyof typeof KIND];

export type Step =
  | { readonly step: "wait" }
  | { readonly step: "send"; readonly text: string }
  /** The socket is open; the frame is its first. */
  | { readonly step: "open" };

/** What is said until a socket is open. */
export interface Opening {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** To be called with each text that the server sends. @throws Error: it refuses. */
  next(text: string): Step;
}

export interface Dialect {
  /** Whether users and groups are to be made over HTTP before. */
  readonly hasAccounts: boolean;
  /** The answer to `keepAlive`. */
  readonly signOfLife: string;
  /** Whoever comes with `token` opens the room of that name. */
  room(room: string, token: string): Opening;
  badge(token: string): Opening;
  chatMessage(room: string, message: string, clientId: string): string;
  kindOf(bytes: Buffer, start: number, end: number): FrameKind;
}

export const WAIT: Step = { step: "wait" };
export const OPEN: Step = { step: "open" };
