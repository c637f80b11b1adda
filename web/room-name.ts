/** What a conversation is opened by. */
import type { Listed } from "./listed.ts";

/** By the other's name, for people to read in the address; a group by its id. */
export function roomNameOf({ id, other }: Pick<Listed, "id" | "other">): string {
  return other === null || !canBeOpened(other.username) ? id : other.username;
}

/** In the path of a URL these are no names: a browser takes them for the folder, and the folder above it. */
export function canBeOpened(room: string): boolean {
  return room !== "." && room !== "..";
}
