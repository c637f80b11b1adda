/** CPU of everything that a server needs, between two moments: its own, and where they were started here PostgreSQL's and Redis's. */
import { cpuSecondsOf } from "../harness/process-usage.ts";
import type { Ground } from "../harness/scenario.ts";
import { queryRow, redisInfo, type ServiceName } from "../harness/services.ts";
import type { RunningProgram } from "./programs.ts";

/** CPU seconds. Of a service that was not started here, NaN: it may be on another machine. */
export interface CpuSpent {
  readonly seconds: number;
  readonly server: number;
  readonly postgres: number;
  readonly redis: number;
  readonly strangers: number;
}

/** The processes are looked up once, so that a look at their time is a reading of files and no more. */
export class CpuClock {
  readonly #server: readonly number[];
  readonly #postgres: readonly number[];
  readonly #redis: readonly number[];

  private constructor(server: readonly number[], postgres: readonly number[], redis: readonly number[]) {
    this.#server = server;
    this.#postgres = postgres;
    this.#redis = redis;
  }

  static async of(running: RunningProgram, { services }: Ground): Promise<CpuClock> {
    const isOwn = (name: ServiceName) => {
      const service = services[name];
      return service.status === "available" && service.isOwn;
    };
    return new CpuClock(
      running.pids,
      isOwn("postgres") ? [await postmasterOf(running.databaseUrl)] : [],
      isOwn("redis") ? [await redisOf(running.redisUrl)] : [],
    );
  }

  /** Begins now; what it returns ends when it is called. */
  start(): () => CpuSpent {
    const begin = this.#now();
    return () => {
      const end = this.#now();
      return {
        seconds: end.seconds - begin.seconds,
        server: end.server - begin.server,
        postgres: end.postgres - begin.postgres,
        redis: end.redis - begin.redis,
        strangers: Math.max(0, end.strangers - begin.strangers),
      };
    };
  }

  #now(): CpuSpent {
    const { asked: server, strangers } = cpuSecondsOf(this.#server);
    const spentBy = (pids: readonly number[]) => (pids.length === 0 ? Number.NaN : cpuSecondsOf(pids).asked);
    return {
      seconds: performance.now() / 1e3,
      server,
      postgres: spentBy(this.#postgres),
      redis: spentBy(this.#redis),
      strangers,
    };
  }
}

/** Its connections are processes below it. */
async function postmasterOf(databaseUrl: string): Promise<number> {
  const { pid } = await queryRow(databaseUrl, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid");
  return Number(pid);
}

async function redisOf(redisUrl: string): Promise<number> {
  return Number(/^process_id:(\d+)/m.exec(await redisInfo(redisUrl, "server"))?.[1]);
}
