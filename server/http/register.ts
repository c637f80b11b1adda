/** Every HTTP route there is, and what they have in common. */
import type { FastifyInstance } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
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
import { countArrivals } from "./request-arrivals.ts";
import { installSecurityHeaders } from "./security-headers.ts";
import type { HttpServices } from "./services.ts";
import { userRoutes } from "./users.ts";
import { compileValidator } from "./validation.ts";

/** `server` is made with `serverOptions`. Its error and not-found handlers, body parser and hooks are set here. */
export async function registerHttp(server: FastifyInstance, services: HttpServices): Promise<void> {
  const app = server.withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(serializerCompiler);
  installSecurityHeaders(app);
  countArrivals(app, services.arrivals, services.trustedProxies);
  installErrorAnswers(app);
  installJsonBody(app);
  await installOpenApi(app, services.version);

  operationRoutes(app, services);
  openApiRoutes(app);
  const { apiKey, developmentSecret, pageFolder } = services;
  app.register(async (scope) => {
    requireCaller(scope, services);
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
