/** A Socket.IO client by hand: Engine.IO 4 over websocket, one namespace, text packets. */
import { WebSocket } from "ws";

/** Long enough for a loaded machine; it ends a test that would hang. In ms. */
const PATIENCE = 10_000;

/** An event's name and its one argument. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks at events as a client in plain JavaScript does
export type ReceivedEvent = [name: string, argument: any];

export class SocketIoClient {
  readonly #socket: WebSocket;
  readonly #packets: string[] = [];
  #arrived: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const packet = data.toString();
      if (packet === "2") return socket.send("3");
      this.#packets.push(packet);
      this.#arrived();
    });
  }

  /** Resolves when the server took the token; rejects with what it said against it. `address`: `ws://host:port` */
  static async connect(address: string, token: string): Promise<SocketIoClient> {
    const client = new SocketIoClient(new WebSocket(`${address}/socket.io/?EIO=4&transport=websocket`));
    const opening = await client.#packet();
    if (!opening.startsWith("0")) throw new Error(opening);
    client.#socket.send(`40${JSON.stringify({ token })}`);
    const answer = await client.#packet();
    if (!answer.startsWith("40")) throw new Error(answer);
    return client;
  }

  emit(name: string, argument: unknown): void {
    this.#socket.send(`42${JSON.stringify([name, argument])}`);
  }

  /** Resolves with the acknowledgement, which must be the next packet. */
  async request(name: string, argument: unknown): Promise<void> {
    this.#socket.send(`420${JSON.stringify([name, argument])}`);
    const packet = await this.#packet();
    if (packet !== "430[]") throw new Error(`expected an acknowledgement, received ${packet}`);
  }

  async receive(): Promise<ReceivedEvent> {
    const packet = await this.#packet();
    if (!packet.startsWith("42[")) throw new Error(`expected an event, received ${packet}`);
    return JSON.parse(packet.slice(2)) as ReceivedEvent;
  }

  async receiveMany(count: number): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    while (events.length < count) events.push(await this.receive());
    return events;
  }

  async #packet(): Promise<string> {
    const packet = this.#packets.shift();
    if (packet !== undefined) return packet;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no packet came")), PATIENCE);
      this.#socket.once("error", reject);
      this.#arrived = () => {
        clearTimeout(timer);
        this.#socket.off("error", reject);
        resolve();
      };
    });
    return this.#packet();
  }
}
