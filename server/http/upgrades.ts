/**
 * What becomes of a request with an `Upgrade` header. Node lets go of its connection, timeouts and listeners included, in the
 * moment such a request is read, whatever it wants to upgrade to and whatever is still to be answered on the connection. So
 * all of that is taken over here, until somebody else has the socket.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { RequestsInFlight } from "./requests-in-flight.ts";
import { headWithoutOffer, offersWebSocket } from "./upgrade-offer.ts";

export class Upgrades {
  /** Emits `upgrade` for WebSocket handshakes alone, each when its connection owes no answer any more. Never listens. */
  readonly handshakes: Server = createServer();
  readonly #held = new Map<Socket, () => void>();
  readonly #server: Server;
  readonly #requests: RequestsInFlight;
  readonly #patience: number;

  /** `patience`: milliseconds from the request to the open socket or the end of the connection. */
  constructor(server: Server, requests: RequestsInFlight, patience: number) {
    this.#server = server;
    this.#requests = requests;
    this.#patience = patience;
    server.on("upgrade", (request, _socket, head: Buffer) => this.#receive(request, head));
  }

  /** Connections whose upgrade is neither done nor refused. */
  get size(): number {
    return this.#held.size;
  }

  /** The connection is a WebSocket's now, and looks after itself. */
  opened(socket: Socket): void {
    this.#held.get(socket)?.();
  }

  /** Ends those that are left. */
  end(): void {
    for (const socket of this.#held.keys()) socket.destroy();
  }

  #receive(request: IncomingMessage, head: Buffer): void {
    const { socket } = request;
    this.#hold(socket);
    this.#requests.whenIdle(socket, () => {
      if (socket.destroyed || !socket.writable) return;
      if (!offersWebSocket(request)) return this.#serve(request, head);
      // Of several protocols the one that is spoken here (RFC 9110, 7.8); ws knows only a list of one.
      request.headers.upgrade = "websocket";
      this.handshakes.emit("upgrade", request, socket, head);
    });
  }

  /**
   * A server may ignore an upgrade (RFC 9110, 7.8). The connection is given back with the request as it was, without the
   * offer: with its body, and with whatever comes behind it.
   */
  #serve(request: IncomingMessage, head: Buffer): void {
    const { socket } = request;
    this.#held.get(socket)?.();
    if (socket.readableEnded) {
      socket.destroy();
      return;
    }
    if (head.length > 0) socket.unshift(head);
    socket.unshift(headWithoutOffer(request));
    this.#server.emit("connection", socket);
  }

  /** What Node did for the connection: it hears errors, hands on that there is room to write, and waits for no one for ever. */
  #hold(socket: Socket): void {
    const end = () => socket.destroy();
    const drained = () => this.#requests.oldest(socket)?.emit("drain");
    const timer = setTimeout(end, this.#patience);
    const release = () => {
      clearTimeout(timer);
      this.#held.delete(socket);
      socket.off("error", end).off("drain", drained).off("close", release);
    };
    this.#held.set(socket, release);
    socket.on("error", end).on("drain", drained).on("close", release);
  }
}
