import { expect } from "vitest";
import type { Communicator, Frame } from "../support/communicator.ts";
import type { Stack } from "../support/stack.ts";

let rooms = 0;

/** Somebody new, alone in the conversation with themselves: its first message is number 1. */
export async function ownRoom(stack: Stack): Promise<{ name: string; path: string; socket: Communicator }> {
  rooms += 1;
  const name = `hermit-${rooms}`;
  const path = `/ws/${name}/`;
  const socket = await stack.connect(name, path);
  expect(await socket.receiveMany(2)).toEqual([
    { type: "online_user_list", users: [] },
    { type: "user_join", user: name },
  ]);
  return { name, path, socket };
}

/** The socket lives, and what went before took no number: nothing of it was stored. */
export async function expectNextNumber(socket: Communicator, seq: number): Promise<void> {
  socket.send({ type: "chat_message", message: "still here" });
  const frame: Frame = await socket.receive();
  expect(frame).toMatchObject({ type: "chat_message", message: "still here", seq });
}
