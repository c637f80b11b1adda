import { connect, createServer, type Socket } from "node:net";

/** The network between a node and Redis, which a test can take away. */
export interface TcpProxy {
  readonly port: number;
  /** From now on every connection, open or new, is cut at once. */
  cut(): void;
  /** The connections that are open now stay open, and nothing goes through them any more, ever; new ones work. */
  freeze(): void;
  /** Every connection, open or new, stays open, and what goes through it waits until `restore`. */
  hold(): void;
  /** New connections work again, and what was held goes on its way. */
  restore(): void;
  close(): Promise<void>;
}

/** `target`: where a connection goes; asked for each anew, where it is a function, and null refuses it. */
export async function startTcpProxy(target: URL | (() => URL | null)): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  /** By the near half of a connection: what lets things through. */
  const joins = new Map<Socket, () => void>();
  let network: "working" | "cut" | "held" = "working";

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    const url = typeof target === "function" ? target() : target;
    if (network === "cut" || url === null) {
      near.destroy();
      return;
    }
    const far = connect(Number(url.port || 6379), url.hostname);
    keep(near);
    keep(far);
    // A cut is all that an error can be here: the other half goes too.
    near.on("error", () => far.destroy()).once("close", () => far.destroy());
    far.on("error", () => near.destroy()).once("close", () => near.destroy());
    const join = () => near.pipe(far).pipe(near);
    near.once("close", () => joins.delete(near));
    joins.set(near, join);
    if (network === "working") join();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");

  return {
    port: address.port,
    cut: () => {
      network = "cut";
      for (const socket of sockets) socket.destroy();
    },
    freeze: () => {
      joins.clear();
      for (const socket of sockets) socket.unpipe().pause();
    },
    hold: () => {
      network = "held";
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore: () => {
      if (network === "held") for (const join of joins.values()) join();
      network = "working";
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
