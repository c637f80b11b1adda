/** What a Parley node says of itself at /metrics, and what it holds in memory. */
import type { ServerUnderTest } from "../harness/server-under-test.ts";

/** After a collection, in KiB. */
export interface Memory {
  readonly resident: number;
  /** What V8 has set apart for new objects: it follows the traffic and not the sockets. Part of it is resident. */
  readonly young: number;
}

const YOUNG_BYTES = 'nodejs_heap_space_size_total_bytes{space="new"}';

export async function memoryOf(server: ServerUnderTest): Promise<Memory> {
  const resident = await server.settledMemory();
  return { resident, young: (await metric(server.url, YOUNG_BYTES)) / 1024 };
}

/** `name`: with its labels as they are written there. NaN when the node does not say it. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length));
}
