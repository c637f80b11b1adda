/** The sockets of the event dialects as their tests open them: every event that comes is checked against its declaration. */
import { expect } from "vitest";
import { z } from "zod";
import { acknowledgement, errorEnvelope } from "../../server/protocol/envelope.ts";
import { liveChatServerEvents } from "../../server/protocol/live-chat.ts";
import { room, roomsMessage, roomsServerEvents } from "../../server/protocol/rooms.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { type Stack, tokenFor } from "../support/stack.ts";

interface Place {
  readonly node?: number;
}

function framesOf(events: Readonly<Record<string, z.ZodType>>): z.ZodType {
  const frames = Object.entries(events).map(([event, data]) => z.strictObject({ event: z.literal(event), data }));
  return z.union([...frames, acknowledgement, errorEnvelope]);
}

const liveChatFrame = framesOf(liveChatServerEvents);

let peopleSoFar = 0;

/** User ids, which are usernames too, that no other test of this file has: tests share a stack. */
export function people<const Names extends readonly string[]>(...names: Names): { [Name in keyof Names]: string } {
  peopleSoFar += 1;
  return names.map((name) => `${name}-${peopleSoFar}`) as { [Name in keyof Names]: string };
}

/** Makes a user known whose username is not their id. */
export async function introduceAs(stack: Stack, id: string, claims: Record<string, string>): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenFor(id, claims)}` };
  const response = await fetch(`${stack.nodes[0]?.http}/api/me`, { headers });
  expect(response.status).toBe(200);
}

export async function openChat(
  stack: Stack,
  userId: string,
  { since, ...place }: Place & { since?: Record<string, number> | string } = {},
): Promise<Communicator> {
  const text = typeof since === "object" ? JSON.stringify(since) : since;
  const query = text === undefined ? "" : `?since=${encodeURIComponent(text)}`;
  const socket = (await stack.connect(userId, `/chat${query}`, place)).expectFrames(liveChatFrame);
  // What comes before the first answer belongs to the resumption, and is for the test to see.
  if (since === undefined) await ask(socket, "user:get_status", { userId });
  return socket;
}

/** `/rooms`, before `connectRooms`. */
export async function openRooms(stack: Stack, userId: string, place: Place = {}): Promise<Communicator> {
  const named = { [userId]: roomsMessage, [`group_${userId}`]: room };
  const socket = (await stack.connect(userId, "/rooms", place)).expectFrames(
    framesOf({ ...roomsServerEvents, ...named }),
  );
  expect(await refusalOf(socket, "messageSeen", { room_id: "nowhere", message_id: "nothing" })).toBe("forbidden");
  return socket;
}

/** `/rooms`, with the list that `connectRooms` was answered with. */
export async function enterRooms(stack: Stack, userId: string, place: Place = {}) {
  const socket = await openRooms(stack, userId, place);
  const { events } = await ask(socket, "connectRooms", { user_id: userId });
  expect(events).toEqual([{ event: "connectRooms", data: expect.any(Array) }]);
  return { socket, list: events[0].data as Frame[] };
}

let asked = 0;

/** Sends an event with an id; resolves with its answer, and with what came before that. */
export async function ask(socket: Communicator, event: string, data: unknown) {
  asked += 1;
  const id = `ask-${asked}`;
  socket.send({ event, data, id });
  const events: Frame[] = [];
  for (;;) {
    const frame = await socket.receive();
    if (frame.id === id) return { answer: frame, events };
    events.push(frame);
  }
}

/** The data of the acknowledgement; whatever came before it is passed over. */
export async function acknowledged(socket: Communicator, event: string, data: unknown): Promise<Frame> {
  const { answer } = await ask(socket, event, data);
  expect(answer).toEqual({ event: "ack", id: answer.id, data: expect.anything() });
  return answer.data;
}

/** The code of the refusal; nothing else may have come. */
export async function refusalOf(socket: Communicator, event: string, data: unknown): Promise<string> {
  const { answer, events } = await ask(socket, event, data);
  expect(events).toEqual([]);
  expect(answer).toMatchObject({ event: "error", data: { event, message: expect.any(String) } });
  return answer.data.code;
}

/** The next event of that name, passing over others; where their order is not what is tested. */
export async function receiveEvent(socket: Communicator, event: string): Promise<Frame> {
  for (;;) {
    const frame = await socket.receive();
    if (frame.event === event) return frame.data;
  }
}

/**
 * Nothing has come for this socket but what comes now: what it is sent next, by way of whatever could have brought more.
 */
export async function expectNext(socket: Communicator, event: string, data: object): Promise<Frame> {
  const frame = await socket.receive();
  expect(frame).toMatchObject({ event, data });
  return frame.data;
}

/** Everything that this node had for the socket has come, and it was nothing. */
export async function expectNothing(socket: Communicator, path: "/chat" | "/rooms"): Promise<void> {
  const nothing = { messageId: "nothing" };
  if (path === "/chat") expect(await refusalOf(socket, "chat:message_read", nothing)).toBe("forbidden");
  else expect(await refusalOf(socket, "messageSeen", { room_id: "nowhere", message_id: "nothing" })).toBe("forbidden");
}

/** A group of these, the first of whom makes it; resolves with its id. */
export async function makeGroup(stack: Stack, ...members: readonly [string, ...string[]]): Promise<string> {
  await stack.introduce(...members);
  const body = { type: "group", name: "a group", members };
  const { status, body: group } = await stack.request(members[0], "POST", "/api/conversations", body);
  expect(status).toBe(201);
  return group.id;
}

/** A message over HTTP; resolves with it as stored. */
export async function post(stack: Stack, userId: string, roomId: string, message: string, place: Place = {}) {
  const { status, body } = await stack.request(userId, "POST", `/api/rooms/${roomId}/messages`, { message }, place);
  expect(status).toBe(201);
  return body as { readonly id: string; readonly seq: number };
}
