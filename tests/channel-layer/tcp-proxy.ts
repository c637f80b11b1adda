import { connect, createServer, type Socket } from "node:net";

/** The network between a node and Redis, which a test can take away. */
export interface TcpProxy {
  readonly port: number;
  /** From now on every connection, open or new, is cut at once. */
  cut(): void;
  /** The connections that are open now stay open, and nothing goes through them any more, ever; new ones work. */
  freeze(): void;
  /** New connections work again. */
  restore(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: URL): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let network: "working" | "cut" = "working";

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    if (network === "cut") {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port || 6379), target.hostname);
    keep(near);
    keep(far);
    // A cut is all that an error can be here: the other half goes too.
    near.on("error", () => far.destroy()).once("close", () => far.destroy());
    far.on("error", () => near.destroy()).once("close", () => near.destroy());
    near.pipe(far).pipe(near);
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
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore: () => {
      network = "working";
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
