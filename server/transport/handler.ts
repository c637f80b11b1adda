/** The consumer of a connection. A throw or a rejection out of it is a fault of ours: logged, and the socket closed with 1011. */
export interface ConnectionHandler {
  /** One text frame. The next one waits until the promise, where there is one, has settled. */
  receive(text: string): void | Promise<void>;
  /** A binary frame came; no dialect has any, so its content is not kept. In order with `receive`. */
  receiveBinary(): void | Promise<void>;
  /**
   * A WebSocket ping or pong came, which the connection deals with itself. Milliseconds for which the socket is not to be
   * read from, because such frames cost something too; 0: none.
   */
  receiveControl(): number;
  /**
   * The socket is gone, for whatever reason. Called exactly once, also while a `receive` is still going on, and nothing
   * is called after it. `code` is 1006 when there was no close frame; `reason` is the peer's word, not to be trusted.
   */
  closed(code: number, reason: string): void | Promise<void>;
}
