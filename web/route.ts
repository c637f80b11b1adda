/** The open room, in the address: `#/bob`, or `#/<conversation id>`. */
import { signal } from "@preact/signals";

const openRoomName = signal(roomOfAddress());

addEventListener("hashchange", () => {
  openRoomName.value = roomOfAddress();
});

/** What the address says: a username or the id of a conversation; null for none. */
export const currentRoom = openRoomName;

export function roomAddress(room: string): string {
  return `#/${encodeURIComponent(room)}`;
}

export function goTo(room: string | null): void {
  location.hash = room === null ? "#/" : roomAddress(room);
}

function roomOfAddress(): string | null {
  const encoded = /^#\/(.+)$/.exec(location.hash)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A stray percent sign: what stands there is the name.
    return encoded;
  }
}
