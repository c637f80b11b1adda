/**
 * `npm start`: builds what is not built yet, then becomes the server. Plain JavaScript, because an installation without
 * development dependencies starts by it too: that one has nothing to build with, and starts what it came with.
 *
 * One process from here on: a signal reaches the server, whoever sends it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { holdBuildLock } from "./build-lock.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const server = pathToFileURL(join(root, "dist/server/main.js")).href;
const canBuild = ["typescript", "tsx", "esbuild"].every((name) => existsSync(join(root, "node_modules", name)));

if (canBuild && existsSync(join(root, "server/main.ts"))) {
  // Held until the server listens: another start does not replace what is being loaded.
  await holdBuildLock(root, async () => {
    await build();
    await import(server);
  });
} else if (existsSync(join(root, "dist/server/main.js"))) {
  await import(server);
} else {
  console.error("There is no build here (dist) and nothing to make one with: run `npm ci && npm run build` first.");
  process.exit(1);
}

/** Not waited for synchronously: the lock is kept by a timer of this process. */
async function build() {
  const builder = spawn(process.execPath, ["--import", "tsx", join(root, "scripts/build.ts"), "--if-stale"], {
    cwd: root,
    stdio: "inherit",
  });
  const [code] = await once(builder, "exit");
  if (code === 0) return;
  console.error("The build failed; what is wrong stands above.");
  process.exit(1);
}
