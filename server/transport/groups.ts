/** The names of the layer's groups. */
export function conversationGroup(conversationId: string): string {
  return `c:${conversationId}`;
}

export function userGroup(userId: string): string {
  return `u:${userId}`;
}

/** The roster of a user's sockets, over all nodes. Nobody subscribes to it. */
export function socketGroup(userId: string): string {
  return `s:${userId}`;
}

/** Who was renamed, told to every node. */
export const PROFILES_GROUP = "p:";

/** Null: no group of this version's. */
export function parseGroup(
  group: string,
): { readonly kind: "conversation" | "user" | "profiles"; readonly id: string } | null {
  const id = group.slice(2);
  switch (group.slice(0, 2)) {
    case "c:":
      return { kind: "conversation", id };
    case "u:":
      return { kind: "user", id };
    case PROFILES_GROUP:
      return { kind: "profiles", id };
    default:
      return null;
  }
}
