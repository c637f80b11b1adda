/** A proxy that gives a server under a path, as those of products do: it takes the path away and hands on what is left. */
import { createServer, request } from "node:http";

export interface PathProxy {
  /** With the path, and a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startPathProxy(target: string, path: string): Promise<PathProxy> {
  const { hostname, port } = new URL(target);
  const outer = createServer();
  const strip = (url = "/") => (url.startsWith(path) ? url.slice(path.length - 1) : null);
  outer.on("request", (asked, answer) => {
    const inner = strip(asked.url);
    if (inner === null) {
      answer.writeHead(404).end();
      return;
    }
    const options = { hostname, port, path: inner, method: asked.method, headers: asked.headers };
    const handed = request(options, (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers);
      given.pipe(answer);
    });
    handed.on("error", () => answer.destroy());
    asked.pipe(handed);
  });
  outer.on("upgrade", (asked, socket, head) => {
    const inner = strip(asked.url);
    if (inner === null) {
      socket.destroy();
      return;
    }
    const handed = request({ hostname, port, path: inner, headers: asked.headers });
    handed.on("upgrade", ({ rawHeaders }, far, first) => {
      const lines = rawHeaders.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join("");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      far.write(head);
      socket.write(first);
      far.pipe(socket).pipe(far);
      far.on("error", () => socket.destroy());
      socket.on("error", () => far.destroy());
    });
    handed.on("response", () => socket.destroy());
    handed.on("error", () => socket.destroy());
    handed.end();
  });
  await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
  const address = outer.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return {
    url: `http://127.0.0.1:${address.port}${path}`,
    close: () =>
      new Promise((resolve) => {
        outer.close(() => resolve());
        outer.closeAllConnections();
      }),
  };
}
