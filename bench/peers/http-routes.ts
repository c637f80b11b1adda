/** The two routes of Parley's that a load needs, so that it sets up a peer in the same way. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { readBearer } from "../../server/auth/handshake.ts";
import type { Directory } from "./directory.ts";
import type { VerifyToken } from "./tokens.ts";

interface NewGroup {
  readonly id?: string;
  readonly name: string;
  /** Usernames. */
  readonly members: readonly string[];
}

export function httpRoutes(directory: Directory, verify: VerifyToken): RequestListener {
  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = await verify(readBearer(request.headers) ?? "").catch(() => null);
    if (caller === null)
      return answer(response, 401, { error: { code: "unauthorized", message: "a token is needed" } });
    switch (`${request.method} ${request.url}`) {
      case "GET /api/me":
        return answer(response, 200, { id: caller, username: caller });
      case "POST /api/conversations": {
        const { id = randomUUID(), name, members } = (await json(request)) as NewGroup;
        const group = directory.createGroup(id, new Set([caller, ...members]));
        return answer(response, 201, { id, type: "group", name, members_count: group.members.length });
      }
      default:
        return answer(response, 404, { error: { code: "not_found", message: "no such route" } });
    }
  }

  return (request, response) => {
    // A body that is no JSON, or ends early.
    route(request, response).catch((error: Error) => response.destroy(error));
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
