/** Users and groups, made over HTTP where a server keeps them. */
import { concurrently } from "./concurrently.ts";

const CONCURRENT_REQUESTS = 16;
/** From a server that takes users from their tokens, and makes a room when it is first opened. */
const NO_SUCH_ROUTE = 404;

export interface Account {
  readonly user: string;
  readonly token: string;
}

/** Makes the users known, so that others can name them. */
export async function introduce(server: string, accounts: readonly Account[]): Promise<void> {
  await concurrently(accounts.length, CONCURRENT_REQUESTS, async (index) => {
    const account = accounts[index];
    if (account !== undefined) await request(server, "GET", "/api/me", account, null);
  });
}

/** A group of them all, made by the first; `id` is what it is opened by. */
export async function createGroup(server: string, id: string, accounts: readonly Account[]): Promise<void> {
  const [creator] = accounts;
  if (creator === undefined) throw new Error("a group has members");
  const members = accounts.map(({ user }) => user);
  await request(server, "POST", "/api/conversations", creator, { type: "group", id, name: id, members });
}

async function request(
  server: string,
  method: string,
  path: string,
  { token }: Account,
  body: object | null,
): Promise<void> {
  const response = await fetch(new URL(path, server), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== null && { "content-type": "application/json" }),
    },
    ...(body !== null && { body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  if (response.ok || response.status === NO_SUCH_ROUTE) return;
  throw new Error(`${method} ${path} was answered with ${response.status}: ${answer}`);
}
