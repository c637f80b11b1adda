/** How often a client network may knock: for sockets, and with HTTP requests. */
import { clientNetwork } from "./client-network.ts";
import { RateLimit } from "./core/rate.ts";

export interface ArrivalLimits {
  /** Upgrade requests a second, and how many at once. */
  readonly connectRate: number | "off";
  readonly connectBurst: number;
  /** Other HTTP requests a second, and how many at once. */
  readonly httpRate: number | "off";
  readonly httpBurst: number;
}

/** What arrives, in the words that its refusal is told in. */
export type Arrival = "connections" | "requests";

/** Client networks that are remembered for each limit, in some 15 MB; with more, those longest silent are forgotten. */
const MAX_NETWORKS = 100_000;

export class Arrivals {
  readonly #limits: Readonly<Record<Arrival, RateLimit | null>>;

  /** `now` in milliseconds and never running backwards. */
  constructor({ connectRate, connectBurst, httpRate, httpBurst }: ArrivalLimits, now = () => performance.now()) {
    const limitOf = (rate: number | "off", burst: number) =>
      rate === "off" ? null : new RateLimit(rate, burst, now, MAX_NETWORKS);
    this.#limits = { connections: limitOf(connectRate, connectBurst), requests: limitOf(httpRate, httpBurst) };
  }

  /** Counts one arrival. @throws Refusal `rate_limited` */
  admit(arrival: Arrival, address: string | undefined): void {
    this.#limits[arrival]?.spend(clientNetwork(address), arrival);
  }
}
