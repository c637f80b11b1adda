/** How a peer says that it listens, and how it ends. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** On 127.0.0.1, at PORT or where it is free; says where on standard output: `{"listening":"http://127.0.0.1:<port>"}`. */
export async function listen(server: Server): Promise<void> {
  server.listen(Number(process.env.PORT ?? 0), "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ listening: `http://127.0.0.1:${port}` }));
}

/** On SIGTERM. `stop` leaves nothing open that would keep the process. */
export function stopOnSignal(stop: () => Promise<void>): void {
  process.once("SIGTERM", stop);
}
