/** Somebody who talks without a page, and a lot. */
import { developmentToken } from "../../client/index.ts";
import { Communicator } from "../support/communicator.ts";
import type { PageServer } from "./page-server.ts";

export interface Talker {
  /** Sends these in order, and resolves when all of them are stored. */
  say(texts: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Frames on their way at once: what is sent faster than it is stored would be kept in memory. */
const WINDOW = 200;

/** `room`: as `username` calls it. Their rate at the server has to let them. */
export async function talkerIn({ url, secret }: PageServer, username: string, room: string): Promise<Talker> {
  const { token } = await developmentToken(username, { url, secret });
  const socket = await Communicator.connect(`${url.replace("http", "ws")}/ws/${room}/`, token);
  return {
    say: async (texts) => {
      for (let start = 0; start < texts.length; start += WINDOW) {
        const some = texts.slice(start, start + WINDOW);
        for (const message of some) socket.send({ type: "chat_message", message });
        for (let stored = 0; stored < some.length; stored += 1) {
          const frame = await socket.receiveType("chat_message");
          if (frame.message !== some[stored]) throw new Error(`expected ${some[stored]}, got ${frame.message}`);
        }
      }
    },
    close: async () => {
      await socket.close();
    },
  };
}

/** `first 1`, `first 2`, … */
export function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${word} ${index + 1}`);
}
