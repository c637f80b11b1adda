/** Every HTTP route there is, and what they have in common. */
import type { FastifyInstance } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { isLoopbackHost } from "../auth/loopback.ts";
import { Refusal } from "../core/errors.ts";
import { boundAnswers } from "./answers-under-way.ts";
import { requireCaller } from "./caller.ts";
import { conversationRoutes } from "./conversations.ts";
import { developmentTokenRoutes } from "./development-token.ts";
import { installErrorAnswers } from "./errors.ts";
import { groupRoutes } from "./groups.ts";
import { installJsonBody } from "./json-body.ts";
import { messageRoutes } from "./messages.ts";
import { installOpenApi, openApiRoutes } from "./openapi.ts";
import { operationRoutes } from "./operations.ts";
import { pageRoutes } from "./page.ts";
import { provisioningRoutes } from "./provisioning.ts";
import { isLocal } from "./proxied.ts";
import { countArrivals } from "./request-arrivals.ts";
import { installSecurityHeaders } from "./security-headers.ts";
import type { HttpServices, ZodServer } from "./services.ts";
import { userRoutes } from "./users.ts";
import { compileValidator } from "./validation.ts";

/** `server` is made with `serverOptions`. Its error and not-found handlers, body parser and hooks are set here. */
export async function registerHttp(server: FastifyInstance, services: HttpServices): Promise<void> {
  const app = prepare(server, services);
  await installOpenApi(app, services.version);

  if (!services.hasOperationsElsewhere) operatorsRoutes(app, services, () => app.swagger());
  const { apiKey, developmentSecret, pageFolder } = services;
  app.register(async (scope) => {
    requireCaller(scope, services);
    boundAnswers(scope, services.largeReads);
    const guarded = scope.withTypeProvider<ZodTypeProvider>();
    userRoutes(guarded, services);
    conversationRoutes(guarded, services);
    groupRoutes(guarded, services);
    messageRoutes(guarded, services);
  });
  if (apiKey !== null) {
    app.register(async (scope) => provisioningRoutes(scope.withTypeProvider<ZodTypeProvider>(), services, apiKey));
  }
  if (developmentSecret !== null) {
    app.register(async (scope) =>
      developmentTokenRoutes(scope.withTypeProvider<ZodTypeProvider>(), services, developmentSecret),
    );
  }
  if (pageFolder !== null) pageRoutes(app, pageFolder);
}

/** The operator's routes alone, on a server of their own. `document`: the OpenAPI document of the other. */
export function registerOperations(server: FastifyInstance, services: HttpServices, document: () => object): void {
  operatorsRoutes(prepare(server, services), services, document);
}

/** What every server has, whatever its routes. */
function prepare(server: FastifyInstance, services: HttpServices): ZodServer {
  const app = server.withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(serializerCompiler);
  installSecurityHeaders(app);
  countArrivals(app, services);
  installErrorAnswers(app);
  installJsonBody(app);
  return app;
}

function operatorsRoutes(app: ZodServer, services: HttpServices, document: () => object): void {
  app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    // Where only this machine is meant, a foreign page that points its name here reads nothing (DNS rebinding).
    const isForThisMachine = services.developmentSecret !== null || services.hasOperationsElsewhere;
    scope.addHook("onRequest", async (request) => {
      if (isForThisMachine && isLocal(request) && !isLoopbackHost(request.headers.host)) {
        throw new Refusal("forbidden", "this is asked as localhost, or by an address of this machine");
      }
    });
    operationRoutes(routes, services);
    openApiRoutes(routes, document);
  });
}
