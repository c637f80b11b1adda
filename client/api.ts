import type { ErrorCode } from "../server/protocol/errors.ts";
import type { ConversationBody, ConversationDetailsBody, MessageBody, ProfileBody } from "../server/protocol/http.ts";
import { ParleyError } from "./errors.ts";
import { type ServerOptions, urlOf } from "./server.ts";

export interface ApiOptions extends ServerOptions {
  /** Aborting it ends the requests under way. */
  signal?: AbortSignal | undefined;
}

/** `next`: the page of older messages, `previous`: of newer ones; paths for `Api.page`. */
export interface MessagePage {
  messages: MessageBody[];
  next: string | null;
  previous: string | null;
}

export interface ConversationPage {
  results: ConversationBody[];
  next: string | null;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * What is read and managed over HTTP. Source of the bodies: `/docs/openapi.json` at the server. Every method throws a
 * ParleyError: the server's own code, or `unavailable` when it was not reached.
 */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  me(): Promise<ProfileBody> {
    return this.#request("GET", "/api/me");
  }

  /** `search`: part of a username or a name. */
  users(query: { search?: string; limit?: number } = {}): Promise<{ results: ProfileBody[] }> {
    return this.#request("GET", `/api/users${encode(query)}`);
  }

  /** Newest first; direct ones from their first message on. */
  conversations(query: { limit?: number; cursor?: string } = {}): Promise<ConversationPage> {
    return this.#request("GET", `/api/conversations${encode(query)}`);
  }

  conversation(id: string): Promise<ConversationDetailsBody> {
    return this.#request("GET", `/api/conversations/${encodeURIComponent(id)}`);
  }

  /** `members`: user ids or usernames; the caller is one in any case. */
  createGroup(group: {
    name: string;
    members: readonly string[];
    image_url?: string;
    id?: string;
  }): Promise<ConversationDetailsBody> {
    return this.#request("POST", "/api/conversations", { type: "group", ...group });
  }

  updateGroup(id: string, changes: { name?: string; image_url?: string | null }): Promise<ConversationDetailsBody> {
    return this.#request("PATCH", `/api/conversations/${encodeURIComponent(id)}`, changes);
  }

  addMembers(id: string, members: readonly string[]): Promise<{ added: ProfileBody[] }> {
    return this.#request("POST", `/api/conversations/${encodeURIComponent(id)}/members`, { members });
  }

  /** Oneself: leaves. */
  removeMember(id: string, user: string): Promise<void> {
    return this.#request("DELETE", `/api/conversations/${encodeURIComponent(id)}/members/${encodeURIComponent(user)}`);
  }

  /** Newest first; `before` and `after` are seqs at creation, exclusive. */
  messages(
    room: string,
    query: { before?: number; after?: number; limit?: number; pinned?: boolean } = {},
  ): Promise<MessagePage> {
    return this.#request("GET", `/api/rooms/${encodeURIComponent(room)}/messages${encode(query)}`);
  }

  /** The page behind a `next` or `previous`. */
  page<Page extends MessagePage | ConversationPage>(link: string): Promise<Page> {
    return this.#request("GET", link);
  }

  async #request<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const { getToken, signal } = this.#options;
    const ask = async (refresh: boolean) =>
      request<Body>(this.#options, path, { method, body, signal, token: await getToken({ refresh }) });
    try {
      return await ask(false);
    } catch (error) {
      if (!(error instanceof ParleyError && error.code === "unauthorized")) throw error;
      return ask(true);
    }
  }
}

export function createApi(options: ApiOptions): Api {
  return new Api(options);
}

/**
 * A token for whoever asks, from a server in development without a key, on the same machine.
 *
 * @param options `secret`: what the server wrote into its log, where it wants one
 * @throws ParleyError `not_found` where the server has a key
 */
export function developmentToken(
  username: string,
  { secret, ...options }: Pick<ServerOptions, "url" | "fetch"> & { secret?: string | undefined } = {},
): Promise<{ token: string; user: ProfileBody }> {
  return request(options, "/api/dev/token", { method: "POST", body: { username, secret } });
}

interface RequestParts {
  readonly method: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly signal?: AbortSignal | undefined;
}

async function request<Body>(
  { url, fetch = globalThis.fetch }: Pick<ServerOptions, "url" | "fetch">,
  path: string,
  { method, body, token, signal }: RequestParts,
): Promise<Body> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const target = urlOf({ url }, path);
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(target, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
    answer = response.status === 204 ? undefined : await response.json();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ParleyError("unavailable", "the server was not reached", { cause });
  }
  if (response.ok) return answer as Body;
  const { error } = answer as { error?: { code: ErrorCode; message: string; retry_after?: number } };
  // What stands before the server has answered in its place.
  if (error?.code === undefined) throw new ParleyError("unavailable", `the server was not reached: ${response.status}`);
  throw new ParleyError(error.code, error.message, {
    ...(error.retry_after !== undefined && { retryAfter: error.retry_after }),
  });
}

function encode(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
