/** A WebSocket that does what a test says, and a network that is made of such sockets: no server, no time of its own. */
import { vi } from "vitest";
import type { WebSocketConstructor, WebSocketLike } from "../../client/index.ts";

type Handler = ((event: never) => void) | null;

/** As a browser's: it refuses what a browser refuses, and tells of its end even to whoever has closed it. */
export class ScriptedSocket implements WebSocketLike {
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  readonly url: URL;
  readonly protocols: readonly string[];
  /** What the library sent, parsed. */
  readonly sent: Record<string, unknown>[] = [];
  /** The code that the library closed it with. */
  closedWith: number | undefined;
  state: "connecting" | "open" | "closed" = "connecting";

  constructor(url: string, protocols: string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  send(text: string): void {
    if (this.state === "connecting") throw new DOMException("Still in CONNECTING state.", "InvalidStateError");
    if (this.state === "open") this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(code?: number): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException(`${code} is not for a client to say.`, "InvalidAccessError");
    }
    if (this.state === "closed") return;
    this.closedWith = code ?? 1005;
    const wasConnecting = this.state === "connecting";
    this.state = "closed";
    queueMicrotask(() => {
      if (wasConnecting) this.fail("closed before the connection is established");
      this.onclose?.({ code: wasConnecting ? 1006 : this.closedWith, reason: "" } as never);
    });
  }

  /** The server lets it in. */
  open(): void {
    this.state = "open";
    this.onopen?.({} as never);
  }

  /** The server says these, one after the other. */
  deliver(...frames: unknown[]): void {
    for (const frame of frames) this.deliverText(JSON.stringify(frame));
  }

  deliverText(text: string): void {
    this.onmessage?.({ data: text } as never);
  }

  /** The server closes it, or without a code: the line breaks. */
  end(code = 1006, reason = ""): void {
    this.state = "closed";
    this.onclose?.({ code, reason } as never);
  }

  /** The handshake fails. A browser does not say why. */
  refuse(): void {
    this.fail("Unexpected server response");
    this.end();
  }

  protected fail(message: string): void {
    this.onerror?.({ message } as never);
  }
}

/** As that of the package `ws`: an error that nobody listens to is thrown, and a line can be ended without a farewell. */
export class ScriptedNodeSocket extends ScriptedSocket {
  isTerminated = false;

  terminate(): void {
    this.isTerminated = true;
    this.close();
  }

  protected override fail(message: string): void {
    if (this.onerror === null) throw new Error(`unhandled error event: ${message}`);
    super.fail(message);
  }
}

export class ScriptedNetwork<Socket extends ScriptedSocket = ScriptedSocket> {
  /** In the order in which the library opened them. */
  readonly sockets: Socket[] = [];
  readonly WebSocket: WebSocketConstructor;

  constructor(Socket: new (url: string, protocols: string[]) => Socket) {
    const { sockets } = this;
    this.WebSocket = class {
      constructor(url: string, protocols: string[]) {
        const socket = new Socket(url, protocols);
        sockets.push(socket);
        // biome-ignore lint/correctness/noConstructorReturn: what is constructed is the socket, under the name that is kept
        return socket;
      }
    } as unknown as WebSocketConstructor;
  }

  /** The one that was opened last. */
  get socket(): Socket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  /** What a connection needs to have its sockets here. */
  get options() {
    return { url: "https://chat.example", WebSocket: this.WebSocket, getToken: () => "token", fetch: unreachable };
  }
}

/** A token as a server's issuer makes it, signed by nobody. */
export function tokenWith(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

/** Over HTTP there is nobody. */
export const unreachable: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));

/** Everything that is due now has been done. */
export async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** What a promise has come to when everything that is due now has been done. */
export async function outcomeOf(
  promise: Promise<unknown>,
): Promise<"pending" | { value: unknown } | { error: unknown }> {
  let outcome: Awaited<ReturnType<typeof outcomeOf>> = "pending";
  promise.then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  await settled();
  return outcome;
}
