/** Servers that are started by a command, as whoever installed them does it, and spoken to over the network. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { afterEach } from "vitest";
import { rootFolder } from "../../db/root-folder.ts";
import { Communicator, type Frame } from "../support/communicator.ts";

const SECRET = "a secret of the installation's tests";

export const root = rootFolder();
export const run = promisify(execFile);

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

export interface InstalledServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Ends the process that the command became. Resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs a command in a folder, and resolves when it says where it listens. Rejects with what it printed. */
export async function start(folder: string, command: string[], dataDirectory: string): Promise<InstalledServer> {
  const { PATH = "", HOME = "" } = process.env;
  const settings = { NODE_ENV: "production", JWT_SECRET: SECRET, PORT: "0", DATA_DIR: dataDirectory };
  const [executable = "", ...parameters] = command;
  const child = spawn(executable, parameters, {
    cwd: folder,
    env: { PATH, HOME, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    const hear = (chunk: Buffer) => {
      output += chunk;
      const address = /listening on (http:\/\/[\d.:]+)/.exec(output)?.[1];
      if (address !== undefined) resolve(address);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    exited.then((code) => reject(new Error(`${command.join(" ")} ended with ${code}:\n${output}`)));
  });
  return {
    url,
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}

function tokenFor(user: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
}

/** Says something on a socket, and resolves with what HTTP then tells of the room. */
export async function talk(url: string, text: string): Promise<string[]> {
  const token = await tokenFor("alice");
  const alice = await Communicator.connect(`${url.replace("http", "ws")}/ws/alice/`, token);
  alice.send({ type: "chat_message", message: text });
  await alice.receiveType("chat_message");
  alice.socket.terminate();
  const answer = await fetch(`${url}/api/rooms/alice/messages`, { headers: { authorization: `Bearer ${token}` } });
  const page: Frame = await answer.json();
  return page.messages.map((message: Frame) => message.content).reverse();
}

/** The page, and the status of each file that it names. */
export async function pageOf(url: string): Promise<{ readonly html: string; readonly files: number[] }> {
  const html = await (await fetch(`${url}/`)).text();
  const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name ?? "");
  const answers = await Promise.all(names.map((name) => fetch(new URL(name, `${url}/`))));
  return { html, files: answers.map(({ status }) => status) };
}

/** Copies files and folders of this checkout, by their names. */
export async function copy(names: readonly string[], folder: string): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
}
