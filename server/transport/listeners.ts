/** How what happens to a WebSocket finds its connection: one set of listeners for all sockets, not closures for each. */
import type { RawData, WebSocket } from "ws";

/** Whom the listeners tell. */
export interface SocketOwner {
  /** A text, or null for a binary frame. */
  received(text: string | null): void;
  /** The payload of a ping, or null for a pong. */
  receivedControl(ping: Buffer | null): void;
  failed(error: Error): void;
  ended(code: number, reason: string): void;
}

const ownerKey = Symbol("owner");
type OwnedWebSocket = WebSocket & { [ownerKey]?: SocketOwner };

export function listenFor(owner: SocketOwner, webSocket: OwnedWebSocket): void {
  webSocket[ownerKey] = owner;
  webSocket.on("message", onMessage).on("ping", onPing).on("pong", onPong).on("error", onError).on("close", onClose);
}

function onMessage(this: OwnedWebSocket, data: RawData, isBinary: boolean): void {
  ownerOf(this).received(isBinary ? null : data.toString());
}

function onPing(this: OwnedWebSocket, data: Buffer): void {
  ownerOf(this).receivedControl(data);
}

function onPong(this: OwnedWebSocket): void {
  ownerOf(this).receivedControl(null);
}

function onError(this: OwnedWebSocket, error: Error): void {
  ownerOf(this).failed(error);
}

function onClose(this: OwnedWebSocket, code: number, reason: Buffer): void {
  ownerOf(this).ended(code, reason.toString());
}

function ownerOf(webSocket: OwnedWebSocket): SocketOwner {
  const owner = webSocket[ownerKey];
  if (owner === undefined) throw new Error("a socket without its connection");
  return owner;
}
