/**
 * Builds what the server gives to browsers into `dist/web`: the page, its assets under names that change with their content,
 * and the client library in one file, for applications without a bundler.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { rootFolder } from "../db/root-folder.ts";
import { describeSize, requireBound, sizeOf } from "./bundle-size.ts";

/** Bytes of the client library, minified and gzipped. */
const CLIENT_BOUND = 6 * 1024;
/** What the template names, and the build puts other names for. */
const ENTRIES = ["main.tsx", "style.css"];

const root = rootFolder();
const target = join(root, "dist/web");

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  metafile: true,
  tsconfig: "tsconfig.web.json",
} satisfies BuildOptions;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await buildClient();
await buildPage();

async function buildClient(): Promise<void> {
  const outfile = join(target, "client.js");
  await build({ ...common, entryPoints: ["client/index.ts"], outfile });
  const size = sizeOf(await readFile(outfile));
  console.log(describeSize("client library", size, CLIENT_BOUND));
  requireBound("client library", size, CLIENT_BOUND);
}

async function buildPage(): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints: ENTRIES.map((entry) => `web/${entry}`),
    outdir: join(target, "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
  });
  const template = await readFile(join(root, "web/index.html"), "utf8");
  const page = ENTRIES.reduce((html, entry) => withBuiltName(html, entry, metafile), template);
  await writeFile(join(target, "index.html"), page);
  await cp(join(root, "web/public"), target, { recursive: true });
  const outputs = await Promise.all(Object.keys(metafile.outputs).map((path) => readFile(join(root, path))));
  console.log(describeSize("page", sizeOf(Buffer.concat(outputs)), null));
}

/** The template with what became of this entry in place of its name. */
function withBuiltName(html: string, entry: string, { outputs }: Metafile): string {
  const built = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === `web/${entry}`);
  if (built === undefined) throw new Error(`web/${entry} was not built`);
  const parts = html.split(entry);
  if (parts.length !== 2) throw new Error(`web/index.html names ${entry} ${parts.length - 1} times, expected once`);
  return parts.join(built.slice("dist/web/".length));
}
