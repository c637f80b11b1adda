/** The open room, in the address, and what a link hands beside it. */
import { signal } from "@preact/signals";
import { type Handed, hashOf, roomOfAddress, takeHanded } from "./address.ts";

/** What the address handed when the page was opened. */
export const handedAtStart = takeHanded(null);

const openRoomName = signal(roomOfAddress());
const listeners: ((handed: Handed) => void)[] = [];

addEventListener("hashchange", () => {
  const handed = takeHanded(openRoomName.peek());
  openRoomName.value = roomOfAddress();
  for (const hear of listeners) hear(handed);
});

/** What the address says: a username or the id of a conversation; null for none. */
export const currentRoom = openRoomName;

/** Told of what the address hands from now on: a link may be followed in an open page. */
export function onHanded(listener: (handed: Handed) => void): void {
  listeners.push(listener);
}

export function roomAddress(room: string): string {
  return hashOf(room);
}

export function goTo(room: string | null): void {
  location.hash = room === null ? "#/" : roomAddress(room);
}
