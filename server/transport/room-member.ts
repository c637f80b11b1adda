/**
 * A user in a room's roster: by name, as others are told it, and by id, since another may take the name of somebody who is
 * renamed while both are here. A username has no blanks.
 */
export function roomMember(user: { readonly id: string; readonly username: string }): string {
  return `${user.username} ${user.id}`;
}

export function usernameOf(member: string): string {
  const blank = member.indexOf(" ");
  return blank < 0 ? member : member.slice(0, blank);
}
