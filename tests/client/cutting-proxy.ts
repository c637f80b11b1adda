import { randomInt } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";
import type { Stack } from "../support/stack.ts";
import { urlOf } from "./clients.ts";

/** Another one each time, so that each run looks at other accidents; `DELIVERY_SEED` brings one back. */
export const seed = Number(process.env.DELIVERY_SEED ?? randomInt(2 ** 31));

/** How a line ends before its ends want it to. */
type Fate =
  /** After so many bytes, in the midst of a frame perhaps; what the server says after them is lost with its acknowledgements. */
  | { readonly name: "cut"; readonly direction: Direction; readonly bytes: number; readonly isReset: boolean }
  /** After so many bytes the client hears nothing more, though the server hears the client; cut a moment later. */
  | { readonly name: "deaf"; readonly bytes: number; readonly time: number }
  /** The client is cut; what it said last reaches the server late, when the client may be back already. */
  | { readonly name: "late"; readonly bytes: number; readonly time: number }
  | { readonly name: "spared" };

/** `up`: from the client to the server. */
type Direction = "up" | "down";

export interface CuttingProxyOptions {
  /** Where the next connection goes. */
  target(): URL;
  /** From 0 to 1, each time another. */
  random(): number;
  /** How many bytes pass before a line is cut, at most; in the mean half of it. 0: no line is cut by itself. */
  maxBytes: number;
  /** Whether what a client said last before a cut may reach the server late; true by default. */
  holdsBack?: boolean;
}

/** A network between clients and a server that cuts its lines by itself, after random numbers of bytes, in random ways. */
export class CuttingProxy {
  /** Lines that were cut, or that lost what the server said, by their fate. */
  cuts = 0;
  readonly #options: CuttingProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #network: "cutting" | "working" | "down" = "cutting";

  private constructor(options: CuttingProxyOptions) {
    this.#options = options;
    this.#server = createServer((near) => this.#carry(near));
  }

  static async start(options: CuttingProxyOptions): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** `http://host:port`. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the system gave no port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Cuts what is open; new lines are cut at once, until `restore`. */
  takeDown(): void {
    this.#network = "down";
    this.cutAll();
  }

  /** New lines work, and are cut no more. */
  restore(): void {
    this.#network = "working";
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The lines that are open stay so, and nothing goes through them any more, ever; new ones work. */
  freeze(): void {
    for (const socket of this.#sockets) socket.removeAllListeners("data").pause();
  }

  close(): Promise<void> {
    this.cutAll();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #carry(near: Socket): void {
    if (this.#network === "down") {
      near.destroy();
      return;
    }
    const { hostname, port } = this.#options.target();
    const far = connect(Number(port), hostname);
    near.setNoDelay();
    far.setNoDelay();
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      // A line that is cut is all that an error can be here.
      socket.on("error", () => socket.destroy());
      socket.once("end", () => other.end());
      socket.once("close", () => this.#sockets.delete(socket));
    }
    near.once("close", () => far.destroySoon());
    far.once("close", () => near.destroySoon());
    this.#pass(near, far, this.#network === "cutting" ? this.#fate() : { name: "spared" });
  }

  #fate(): Fate {
    const { random, maxBytes, holdsBack = true } = this.#options;
    if (maxBytes === 0) return { name: "spared" };
    // A handshake has some 400 bytes up and 150 down.
    const bytes = 1 + Math.floor(random() * (random() < 0.15 ? 400 : maxBytes));
    const time = random() * 30;
    const kind = random() * (holdsBack ? 1 : 0.8);
    if (kind < 0.4) return { name: "cut", direction: "down", bytes, isReset: random() < 0.5 };
    if (kind < 0.6) return { name: "cut", direction: "up", bytes: Math.ceil(bytes / 4), isReset: random() < 0.5 };
    return kind < 0.8 ? { name: "deaf", bytes, time } : { name: "late", bytes: Math.ceil(bytes / 4), time };
  }

  #pass(near: Socket, far: Socket, fate: Fate): void {
    const passed = { up: 0, down: 0 };
    const carry = (from: Socket, to: Socket, direction: Direction) => {
      from.on("data", (data: Buffer) => {
        const before = passed[direction];
        passed[direction] += data.byteLength;
        if (fate.name === "spared" || directionOf(fate) !== direction || passed[direction] <= fate.bytes) {
          to.write(data);
          return;
        }
        const within = Math.max(fate.bytes - before, 0);
        this.#meet(fate, { near, far, to, passing: data.subarray(0, within), rest: data.subarray(within) });
      });
    };
    carry(near, far, "up");
    carry(far, near, "down");
  }

  #meet(
    fate: Exclude<Fate, { name: "spared" }>,
    { near, far, to, passing, rest }: { near: Socket; far: Socket; to: Socket; passing: Buffer; rest: Buffer },
  ): void {
    switch (fate.name) {
      case "cut":
        this.cuts += 1;
        near.removeAllListeners("data").resume();
        far.removeAllListeners("data").resume();
        to.write(passing, () => {
          if (fate.isReset) to.resetAndDestroy();
          else to.destroySoon();
        });
        return;
      case "deaf":
        this.cuts += 1;
        far.removeAllListeners("data").resume();
        near.write(passing);
        setTimeout(() => near.destroy(), fate.time);
        return;
      case "late":
        this.cuts += 1;
        near.removeAllListeners("close").removeAllListeners("data");
        near.once("close", () => this.#sockets.delete(near)).destroy();
        far.removeAllListeners("data").resume();
        setTimeout(() => far.end(Buffer.concat([passing, rest])), fate.time);
        return;
    }
  }
}

function directionOf(fate: Exclude<Fate, { name: "spared" }>): Direction {
  switch (fate.name) {
    case "cut":
      return fate.direction;
    case "deaf":
      return "down";
    case "late":
      return "up";
  }
}

/** Before all nodes of the stack, in turn; with the accidents of `seed`, which the test's title says. Closed with the test. */
export async function cuttingProxy(
  stack: () => Stack,
  options: Pick<CuttingProxyOptions, "maxBytes" | "holdsBack">,
): Promise<CuttingProxy> {
  let lines = 0;
  const proxy = await CuttingProxy.start({
    target: () => {
      lines += 1;
      return new URL(urlOf(stack(), lines % stack().nodes.length));
    },
    random: seededRandom(seed),
    ...options,
  });
  onTestFinished(() => proxy.close());
  return proxy;
}
