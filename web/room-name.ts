/** What a conversation is opened by. */
import type { Listed } from "./listed.ts";

/** By the other's name, for people to read in the address; a group by its id. */
export function roomNameOf({ id, other }: Pick<Listed, "id" | "other">): string {
  return other === null || !canBeOpened(other.username) ? nameOfId(id) : other.username;
}

/** No username has a tilde: behind it an id means the conversation, whoever calls themselves the same. */
export function nameOfId(id: string): string {
  return `~${id}`;
}

/** The id that a name says, or may be. */
export function idOfName(name: string): string {
  return name.startsWith("~") ? name.slice(1) : name;
}

/**
 * In the path of a URL `.` and `..` are no names: a browser takes them for the folder, and the folder above it. Nor is half of a
 * character.
 */
export function canBeOpened(room: string): boolean {
  return room !== "" && room !== "." && room !== ".." && room.isWellFormed();
}
