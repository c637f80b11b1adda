/** What the figures were measured with. */
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { rootFolder } from "../../db/root-folder.ts";
import type { Pinning } from "./cores.ts";
import type { Service, Services } from "./services.ts";

/** What the contenders are made of, beside Node. */
const PACKAGES = ["ws", "socket.io", "@socket.io/redis-adapter", "pg", "ioredis", "@electric-sql/pglite"];

/** Linux's number for a file system in memory, where a commit waits for no disk. Source: statfs(2). */
const TMPFS_MAGIC = 0x01021994;

/** Name and value, in the order of print. */
export type Environment = readonly (readonly [name: string, value: string])[];

export async function describeEnvironment(services: Services, pinning: Pinning): Promise<Environment> {
  const [cpu] = cpus();
  return [
    ["date", new Date().toISOString()],
    ["CPU", `${cpu?.model.trim() ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["kernel", release()],
    ["cores", describePinning(pinning)],
    // Near 0 on a machine that has nothing else to do, as it should.
    ["load average before", loadavg()[0]?.toFixed(2) ?? "unknown"],
    ["PostgreSQL", describeService(services.postgres, await diskNote())],
    ["Redis", describeService(services.redis, "")],
    ["Node", process.version],
    ["parley", versionIn("package.json") ?? "unknown"],
    ...PACKAGES.flatMap((name) => {
      const version = versionIn(join("node_modules", name, "package.json"));
      return version === null ? [] : [[name, version] as const];
    }),
  ];
}

function describePinning(pinning: Pinning): string {
  return pinning.status === "pinned"
    ? `servers under test on ${pinning.server}; load, PostgreSQL, Redis on ${pinning.others}`
    : `NOT PINNED, figures are rougher: ${pinning.reason}`;
}

/** `note`: what there is to say of one that was started here. */
function describeService(service: Service, note: string): string {
  if (service.status === "missing") return `MISSING: ${service.reason}`;
  return service.isOwn ? `${service.version}${note}` : `${service.version}; not started here, so not pinned`;
}

async function diskNote(): Promise<string> {
  const { type } = await statfs(tmpdir());
  return type === TMPFS_MAGIC ? `; ${tmpdir()} IS IN MEMORY: set TMPDIR to a disk for commits that wait for one` : "";
}

function versionIn(path: string): string | null {
  const file = join(rootFolder(), path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : null;
}
