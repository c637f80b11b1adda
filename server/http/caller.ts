/** Who is calling: every route of a scope guarded here knows the profile behind the request's token. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { readBearer } from "../auth/handshake.ts";
import { speakerOf } from "../auth/speaker.ts";
import { Unauthorized } from "../auth/unauthorized.ts";
import type { Profile } from "../core/model.ts";
import { costOfRequest } from "./route-costs.ts";
import type { HttpServices } from "./services.ts";

const CALLER = "caller";

type IdentifyingServices = Pick<HttpServices, "authenticate" | "users" | "commandRate">;

/** Before the body is read, so that a stranger's is not. */
export function requireCaller(scope: FastifyInstance, services: IdentifyingServices): void {
  scope.decorateRequest(CALLER, null);
  scope.addHook("onRequest", async (request) => {
    request.setDecorator<Profile>(CALLER, await identify(request, services));
  });
}

export function callerOf(request: Pick<FastifyRequest, "getDecorator">): Profile {
  const caller = request.getDecorator<Profile | null>(CALLER);
  if (caller === null) throw new Error("the route is not in a guarded scope");
  return caller;
}

/** @throws Unauthorized, Refusal `rate_limited`, `conflict` (the username is another's), `unavailable` */
async function identify(request: FastifyRequest, services: IdentifyingServices): Promise<Profile> {
  const token = readBearer(request.headers);
  if (token === null) throw new Unauthorized("expected a token: Authorization: Bearer <token>");
  const { profile } = await speakerOf(token, services, costOfRequest(request));
  return profile;
}
