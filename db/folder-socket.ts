/** A Unix socket in a folder, whose only purpose is that the kernel closes it with the process that listens on it. */
import { chmod } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join, relative } from "node:path";
import { errorCode } from "./failures.ts";

export interface FolderSocket {
  readonly name: string;
  close(): Promise<void>;
}

/** Bytes that every system takes as the path of a socket. */
const MAX_PATH = 100;
/** Milliseconds; the kernel answers, not the process. */
const ANSWER_LIMIT = 2_000;

/** Null where the path is too long or the file system has no sockets. */
export async function listenIn(folder: string, name: string): Promise<FolderSocket | null> {
  const path = pathOf(folder, name);
  if (path === null) return null;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(path, () => resolve(true));
  });
  if (!isListening) return null;
  await chmod(path, 0o600);
  return {
    name,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** "unknown": the socket cannot be asked from here. */
export async function isListening(folder: string, name: string): Promise<"yes" | "no" | "unknown"> {
  const path = pathOf(folder, name);
  if (path === null) return "unknown";
  return new Promise((resolve) => {
    const socket = connect(path);
    const limit = setTimeout(() => {
      socket.destroy();
      resolve("unknown");
    }, ANSWER_LIMIT);
    socket.once("connect", () => {
      clearTimeout(limit);
      socket.destroy();
      resolve("yes");
    });
    socket.once("error", (error) => {
      clearTimeout(limit);
      // A full queue of connections is somebody's who does not take them: alive, if held up.
      const code = errorCode(error);
      resolve(code === "ECONNREFUSED" ? "no" : code === "EAGAIN" ? "yes" : "unknown");
    });
  });
}

/** From here or from the root, whichever is shorter. Null: neither will do. */
function pathOf(folder: string, name: string): string | null {
  if (process.platform === "win32") return null;
  const absolute = join(folder, name);
  const near = relative(process.cwd(), absolute);
  const path = near.length < absolute.length ? near : absolute;
  return Buffer.byteLength(path) <= MAX_PATH ? path : null;
}
