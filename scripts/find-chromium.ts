/** A Chromium for the tests of the page: the one the environment names, else one that is installed. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where it may be without being in PATH. */
const USUAL_PLACES = [
  ...NAMES.map((name) => join("/usr/bin", name)),
  ...NAMES.map((name) => join("/usr/local/bin", name)),
  "/snap/bin/chromium",
  "/opt/google/chrome/chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * The path of an executable; null when there is none on this machine.
 *
 * @throws Error when CHROMIUM_PATH is set and names nothing that can be run: another browser is not what was asked for
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | null {
  const { CHROMIUM_PATH: given = "", PATH = "" } = environment;
  if (given !== "") {
    if (isExecutable(given)) return given;
    throw new Error(`CHROMIUM_PATH: ${given} cannot be run`);
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== "");
  const places = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...USUAL_PLACES];
  return places.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // It is not there, or not for us: the same to whoever looks for one that runs.
    return false;
  }
}
