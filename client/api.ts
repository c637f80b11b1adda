import type { ErrorCode } from "../server/protocol/errors.ts";
import type { ConversationBody, ConversationDetailsBody, MessageBody, ProfileBody } from "../server/protocol/http.ts";
import { ParleyError } from "./errors.ts";
import { reasonOf } from "./listeners.ts";
import { isOtherOrigin, type ServerOptions, segment, urlOf } from "./server.ts";
import { askToken, forgetToken } from "./tokens.ts";

export interface ApiOptions extends ServerOptions {
  /** Aborting it ends the requests under way. */
  signal?: AbortSignal | undefined;
  /** How long a token, and then an answer, is waited for; 30,000 ms. */
  timeout?: number | undefined;
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

const UNREACHED = "the server was not reached";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * What is read and managed over HTTP. Source of the bodies: `/docs/openapi.json` at the server. Every method throws a
 * ParleyError: the server's own code, or `unavailable` when it was not reached or did not answer in time. A name that no
 * path can have, such as `..`, is a TypeError.
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

  async conversation(id: string): Promise<ConversationDetailsBody> {
    return this.#request("GET", `/api/conversations/${segment(id)}`);
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

  async updateGroup(
    id: string,
    changes: { name?: string; image_url?: string | null },
  ): Promise<ConversationDetailsBody> {
    return this.#request("PATCH", `/api/conversations/${segment(id)}`, changes);
  }

  async addMembers(id: string, members: readonly string[]): Promise<{ added: ProfileBody[]; invited?: ProfileBody[] }> {
    return this.#request("POST", `/api/conversations/${segment(id)}/members`, { members });
  }

  /** Oneself: leaves. */
  async removeMember(id: string, user: string): Promise<void> {
    return this.#request("DELETE", `/api/conversations/${segment(id)}/members/${segment(user)}`);
  }

  /** Newest first; `before` and `after` are seqs at creation, exclusive. */
  async messages(
    room: string,
    query: { before?: number; after?: number; limit?: number; pinned?: boolean } = {},
  ): Promise<MessagePage> {
    return this.#request("GET", `/api/rooms/${segment(room)}/messages${encode(query)}`);
  }

  /** The page behind a `next` or `previous`. */
  page<Page extends MessagePage | ConversationPage>(link: string): Promise<Page> {
    return this.#request("GET", link);
  }

  async #request<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const token = await this.#token(null);
    const ask = (token: string) => request<Body>(this.#options, path, { method, body, token });
    try {
      return await ask(token);
    } catch (error) {
      if (!(error instanceof ParleyError && error.code === "unauthorized")) throw error;
      return ask(await this.#token(token));
    }
  }

  /** @param refused the token in whose place another is needed */
  async #token(refused: string | null): Promise<string> {
    const { getToken, signal } = this.#options;
    const asked = askToken(getToken, refused);
    try {
      return await inTime(this.#options, "getToken has not answered", () => asked);
    } finally {
      // Whoever asks next is not to wait for what did not come in time; others may still wait for what was given up here.
      if (!signal?.aborted) forgetToken(getToken, asked);
    }
  }
}

export function createApi(options: ApiOptions): Api {
  return new Api(options);
}

/**
 * A token for whoever asks, from a server in development without a key.
 *
 * @param options `secret`: the one that the server's log shows, where the server asks for it
 * @throws ParleyError `not_found` where the server has a key
 */
export function developmentToken(
  username: string,
  { secret, ...options }: Omit<ApiOptions, "getToken"> & { secret?: string | undefined } = {},
): Promise<{ token: string; user: ProfileBody }> {
  return request(options, "/api/dev/token", { method: "POST", body: { username, secret } });
}

interface RequestParts {
  readonly method: string;
  readonly body?: unknown;
  readonly token?: string;
}

type RequestOptions = Omit<ApiOptions, "getToken">;

async function request<Body>(
  options: RequestOptions,
  path: string,
  { method, body, token }: RequestParts,
): Promise<Body> {
  const { fetch = globalThis.fetch } = options;
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const target = urlOf(options, path);
  const { status, ok, answer } = await inTime(options, "the server has not answered", async (signal) => {
    let response: Response;
    try {
      response = await fetch(target, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      });
    } catch (cause) {
      const why = isOtherOrigin(options)
        ? `${UNREACHED}, or does not let a page of another origin read it (CORS)`
        : UNREACHED;
      throw new ParleyError("unavailable", why, { cause });
    }
    // What is no JSON is none of the server's.
    return { status: response.status, ok: response.ok, answer: await response.json().catch(() => undefined) };
  });
  if (ok && (answer !== undefined || status === 204)) return answer as Body;
  const { error } = (answer ?? {}) as { error?: { code: ErrorCode; message: string; retry_after?: number } };
  // What stands before the server has answered in its place.
  if (error?.code === undefined) throw new ParleyError("unavailable", `${UNREACHED}: status ${status}`);
  throw new ParleyError(error.code, error.message, {
    ...(error.retry_after !== undefined && { retryAfter: error.retry_after }),
  });
}

/** What comes of it, unless that takes too long or nobody waits any longer: then it is told to stop, and not waited for. */
function inTime<Result>(
  { timeout = 30_000, signal }: RequestOptions,
  late: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const inner = new AbortController();
    const stop = (reason: unknown) => {
      reject(reason);
      inner.abort(reason);
    };
    const leave = () => stop(signal && reasonOf(signal));
    if (signal?.aborted) {
      leave();
      return;
    }
    signal?.addEventListener("abort", leave);
    const timer = setTimeout(() => stop(new ParleyError("unavailable", `${late} for ${timeout} ms`)), timeout);
    work(inner.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", leave);
      });
  });
}

function encode(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
