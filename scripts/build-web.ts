/**
 * What the server gives to browsers: the page, its assets under names that change with their content, and the client library
 * in one file, for applications without a bundler. Run by itself it builds into `dist/web`.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { rootFolder } from "../db/root-folder.ts";
import { describeSize, requireBound, sizeOf } from "./bundle-size.ts";

/** Bytes of the client library, minified and gzipped. */
const CLIENT_BOUND = 8 * 1024;
/** What the template names, and the build puts other names for. */
const ENTRIES = ["main.tsx", "style.css"];

const root = rootFolder();

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

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildWeb(join(root, "dist/web"));

/** Builds into this folder, which is emptied first. */
export async function buildWeb(target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await buildClient(target);
  await buildPage(target);
}

async function buildClient(target: string): Promise<void> {
  const outfile = join(target, "client.js");
  await build({ ...common, entryPoints: ["client/index.ts"], outfile });
  const size = sizeOf(await readFile(outfile));
  console.log(describeSize("client library", size, CLIENT_BOUND));
  requireBound("client library", size, CLIENT_BOUND);
}

async function buildPage(target: string): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints: ENTRIES.map((entry) => `web/${entry}`),
    outdir: join(target, "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
  });
  const template = await readFile(join(root, "web/index.html"), "utf8");
  const page = ENTRIES.reduce(
    (html, entry) => html.replace(placeOf(html, entry), builtName(entry, metafile, target)),
    template,
  );
  await writeFile(join(target, "index.html"), page);
  await cp(join(root, "web/public"), target, { recursive: true });
  const outputs = await Promise.all(Object.keys(metafile.outputs).map((path) => readFile(join(root, path))));
  console.log(describeSize("page", sizeOf(Buffer.concat(outputs)), null));
}

/** What became of an entry, as the page names it. */
function builtName(entry: string, { outputs }: Metafile, target: string): string {
  const built = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === `web/${entry}`);
  if (built === undefined) throw new Error(`web/${entry} was not built`);
  return relative(target, join(root, built)).replaceAll("\\", "/");
}

/** The entry's name in the template, where it stands once. */
function placeOf(html: string, entry: string): string {
  const times = html.split(entry).length - 1;
  if (times !== 1) throw new Error(`web/index.html names ${entry} ${times} times, expected once`);
  return entry;
}
