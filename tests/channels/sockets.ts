/** The sockets of the channels dialect as its tests open them: every frame that comes is checked against its declaration. */
import { expect } from "vitest";
import {
  conversationNotificationsServerFrame,
  notificationsServerFrame,
  roomServerFrame,
} from "../../server/protocol/channels.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import type { Stack } from "../support/stack.ts";

interface Place {
  readonly node?: number;
}

let peopleSoFar = 0;

/** Usernames that no other test of this file has: tests share a stack. */
export function people<const Names extends readonly string[]>(...names: Names): { [Name in keyof Names]: string } {
  peopleSoFar += 1;
  return names.map((name) => `${name}-${peopleSoFar}`) as { [Name in keyof Names]: string };
}

/** `/ws/<room>/`, from its very first frame. */
export async function openRoom(
  stack: Stack,
  username: string,
  room: string,
  { since, ...place }: Place & { since?: number | string } = {},
): Promise<Communicator> {
  const query = since === undefined ? "" : `?since=${since}`;
  const socket = await stack.connect(username, `/ws/${encodeURIComponent(room)}/${query}`, place);
  return socket.expectFrames(roomServerFrame);
}

/** `/ws/<room>/` of somebody who was not there: what comes next comes live. */
export async function enterRoom(stack: Stack, username: string, room: string, place: Place = {}) {
  const socket = await openRoom(stack, username, room, place);
  expect((await socket.receive()).type).toBe("online_user_list");
  expect(await socket.receive()).toEqual({ type: "user_join", user: username });
  return socket;
}

/** Two people who have met in their direct conversation, the second one on another node where there is one. */
export async function enterPair(
  stack: Stack,
  one: string,
  other: string,
): Promise<readonly [one: Communicator, other: Communicator]> {
  await stack.introduce(one, other);
  const first = await enterRoom(stack, one, other);
  const second = await enterRoom(stack, other, one, { node: stack.nodes.length - 1 });
  expect(await first.receive()).toEqual({ type: "user_join", user: other });
  return [first, second];
}

/** `/ws/notifications/`, after its first count, which is returned with it. */
export async function openBadge(stack: Stack, username: string, place: Place = {}) {
  const socket = (await stack.connect(username, "/ws/notifications/", place)).expectFrames(notificationsServerFrame);
  const first = await socket.receive();
  expect(first).toEqual({ type: "unread_count", unread_count: expect.any(Number) });
  return { badge: socket, total: first.unread_count as number };
}

/** `/ws/notifications/<user>/`, from its first frame. */
export async function openConversationBadge(stack: Stack, username: string, room: string, place: Place = {}) {
  const socket = await stack.connect(username, `/ws/notifications/${encodeURIComponent(room)}/`, place);
  return socket.expectFrames(conversationNotificationsServerFrame);
}

/** A group of these, the first of whom makes it; resolves with its id. */
export async function makeGroup(stack: Stack, ...members: readonly [string, ...string[]]): Promise<string> {
  await stack.introduce(...members);
  const { status, body } = await stack.request(members[0], "POST", "/api/conversations", {
    type: "group",
    name: "a group",
    members,
  });
  expect(status).toBe(201);
  return body.id;
}

/** Sends a message and takes its echo. */
export async function say(socket: Communicator, message: string, more: object = {}): Promise<Frame> {
  socket.send({ type: "chat_message", message, ...more });
  const echo = await socket.receive();
  expect(echo).toMatchObject({ type: "chat_message", message });
  return echo;
}

/** The next frame of each, which must be the same change for all. */
export async function receiveSame(...sockets: readonly Communicator[]): Promise<Frame> {
  const [first, ...others] = await Promise.all(sockets.map((socket) => socket.receive()));
  for (const other of others) expect(other).toEqual(first);
  return first;
}
