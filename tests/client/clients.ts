/** The client library as its tests against a server use it: on the WebSocket of `ws`, and coming back within milliseconds. */
import { WebSocket } from "ws";
import { type ConnectOptions, createApi, type MessageBody } from "../../client/index.ts";
import { type Stack, tokenFor } from "../support/stack.ts";

/** Settings of a server that holds back nobody. */
export const generous = { SEND_RATE: "100000", SEND_BURST: "100000", MAX_SOCKETS_PER_USER: "10000" };

/** Of a node, past any proxy. */
export function urlOf(stack: Stack, node = 0): string {
  const url = stack.nodes[node]?.http;
  if (url === undefined) throw new Error(`node ${node} was not started`);
  return url;
}

let peopleSoFar = 0;

/** Usernames, which are user ids too, that no other test of this file has: tests share a stack. */
export function people<const Names extends readonly string[]>(...names: Names): { [Name in keyof Names]: string } {
  peopleSoFar += 1;
  return names.map((name) => `${name}-${peopleSoFar}`) as { [Name in keyof Names]: string };
}

/** What the library needs to know to connect as `username`; `url` is the server's or a proxy's. */
export function as(username: string, url: string): ConnectOptions {
  return { url, getToken: () => tokenFor(username), WebSocket, backoff: { base: 5, max: 50 } };
}

interface WithState {
  readonly state: { readonly name: string };
  onState(listener: (state: { readonly name: string }) => void): () => void;
}

interface WithFrames<Frame> {
  onFrame(listener: (frame: Frame) => void): () => void;
}

/** Resolves when the connection is in that state, at once if it is already. */
export function reached(connection: WithState, name: "open" | "waiting" | "closed"): Promise<void> {
  if (connection.state.name === name) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = connection.onState((state) => {
      if (state.name !== name) return;
      stop();
      resolve();
    });
  });
}

/** The first frame from now on that is as it should be. */
export function heard<Frame>(connection: WithFrames<Frame>, isWanted: (frame: Frame) => boolean): Promise<Frame> {
  return new Promise((resolve) => {
    const stop = connection.onFrame((frame) => {
      if (!isWanted(frame)) return;
      stop();
      resolve(frame);
    });
  });
}

/** Everything that the connection delivers from now on. */
export function recorded<Frame>(connection: WithFrames<Frame>): Frame[] {
  const frames: Frame[] = [];
  connection.onFrame((frame) => {
    frames.push(frame);
  });
  return frames;
}

/** All messages of a room, oldest first. */
export async function history(username: string, url: string, room: string): Promise<MessageBody[]> {
  const api = createApi(as(username, url));
  const found: MessageBody[] = [];
  let page = await api.messages(room, { limit: 200 });
  for (;;) {
    found.push(...page.messages);
    if (page.next === null) return found.reverse();
    page = await api.page(page.next);
  }
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** So many texts, each with its number. */
export function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);
}
