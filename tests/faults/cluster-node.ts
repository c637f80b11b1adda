import type { TcpProxy } from "../channel-layer/tcp-proxy.ts";
import { type Exit, type ServerProcess, startProcess } from "../support/processes.ts";

/** What a node stands on. */
export type Service = "postgres" | "redis";

type State =
  | { readonly name: "stopped" }
  | { readonly name: "starting"; readonly process: ServerProcess }
  | { readonly name: "running"; readonly process: ServerProcess; readonly url: string };

/** One node of a cluster: a process that a row may end, signal and start again. */
export class ClusterNode {
  readonly index: number;
  /** Those between this node and what it stands on that the cluster was asked for. */
  readonly proxies: Readonly<Partial<Record<Service, TcpProxy>>>;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #preloaded: readonly string[];
  #state: State = { name: "stopped" };

  constructor(options: {
    index: number;
    settings: Readonly<Record<string, string>>;
    preloaded: readonly string[];
    proxies: Readonly<Partial<Record<Service, TcpProxy>>>;
  }) {
    this.index = options.index;
    this.proxies = options.proxies;
    this.#settings = options.settings;
    this.#preloaded = options.preloaded;
  }

  get isRunning(): boolean {
    return this.#state.name === "running";
  }

  /** `http://host:port`; another one after each start. Throws while it is not running. */
  get url(): string {
    return this.#running.url;
  }

  /** `ws://host:port` */
  get sockets(): string {
    return this.url.replace("http", "ws");
  }

  get pid(): number {
    const { pid } = this.#running.process;
    if (pid === undefined) throw new Error(`node ${this.index} has no process`);
    return pid;
  }

  get #running() {
    if (this.#state.name !== "running") throw new Error(`node ${this.index} is ${this.#state.name}`);
    return this.#state;
  }

  /** The proxy between this node and a service. Throws where the cluster was not asked for one. */
  proxy(service: Service): TcpProxy {
    const proxy = this.proxies[service];
    if (proxy === undefined) throw new Error(`the cluster was not started with proxied: ["${service}"]`);
    return proxy;
  }

  /** Resolves when it listens; with the same settings as before. */
  async start(): Promise<void> {
    const process = startProcess(this.#settings, { preloaded: this.#preloaded });
    this.#state = { name: "starting", process };
    process.exited.then(() => {
      if (this.#state.name !== "stopped" && this.#state.process === process) this.#state = { name: "stopped" };
    });
    this.#state = { name: "running", process, url: await process.address };
  }

  /** Sends the signal and resolves when the process has ended; at once, with null, when there is none. */
  async end(signal: NodeJS.Signals): Promise<Exit | null> {
    if (this.#state.name === "stopped") return null;
    const { process } = this.#state;
    this.#state = { name: "stopped" };
    return process.end(signal);
  }

  /** A signal that does not end it, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Whether it has said this in its log since it was started last. */
  said(text: string): boolean {
    return this.#state.name === "running" && this.#state.process.lines.some((line) => line.includes(text));
  }
}
