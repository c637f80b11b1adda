/** An event dialect on scripted sockets, and the way to its being live. */
import { vi } from "vitest";
import { connectEvents, type EventFrame, type EventPath, type Events, type EventsOptions } from "../../client/index.ts";
import { ScriptedNetwork, ScriptedSocket, settled } from "./scripted-socket.ts";

export class ScriptedEvents<Path extends EventPath> {
  readonly network = new ScriptedNetwork(ScriptedSocket);
  readonly events: Events<Path>;
  /** What listeners were told. */
  readonly heard: EventFrame[] = [];

  constructor(path: Path, options: Partial<EventsOptions> = {}) {
    this.events = connectEvents(path, { ...this.network.options, ...options });
    this.events.onFrame((frame) => this.heard.push(frame));
  }

  get socket(): ScriptedSocket {
    return this.network.socket;
  }

  /** What was asked on the present socket; the first frame of all is what opens it. */
  get asked(): Record<string, unknown>[] {
    return this.socket.sent.slice(1);
  }

  /** Opens the present socket; before the server acknowledges that it says these. */
  async open(...events: EventFrame[]): Promise<this> {
    await settled();
    this.socket.open();
    this.socket.deliver(...events, { event: "ack", id: "open", data: {} });
    return this;
  }

  /** The line breaks, and the library makes its next attempt. */
  async breakLine(): Promise<void> {
    this.socket.end();
    const { state } = this.events;
    if (state.name === "waiting") await vi.advanceTimersByTimeAsync(Math.ceil(state.nextAttemptAt - Date.now()));
  }

  acknowledge(request: Record<string, unknown> | undefined, data: unknown = {}): void {
    this.socket.deliver({ event: "ack", id: request?.id, data });
  }
}
