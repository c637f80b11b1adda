/** The OpenAPI document, made of the routes' own schemas. */
import swagger, { type SwaggerTransformObject } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { ZodServer } from "./services.ts";

/** What a route asks of its caller, by the names of `securitySchemes`. */
export const SECURITY = {
  caller: [{ bearer: [] }],
  apiKey: [{ apiKey: [] }],
};

/** To be awaited before the first route: it hears of each as it is registered. Routes without tags are not shown. */
export async function installOpenApi(app: ZodServer, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Parley",
        version,
        description: "The HTTP side of Parley. What is said over WebSockets is not in this document.",
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "The user's token" },
          apiKey: { type: "http", scheme: "bearer", description: "API_KEY, for back ends" },
        },
      },
    },
    hideUntagged: true,
    transform: jsonSchemaTransform,
    transformObject: (source) => finish(jsonSchemaTransformObject(source)),
  });
}

/** As much of the document as is changed here. */
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, unknown> };
}
interface Operation {
  readonly summary: string;
  readonly requestBody?: { required?: boolean; readonly content: Record<string, { schema: { default?: unknown } }> };
  readonly responses: Record<string, { description: string }>;
}

/** What the plugins cannot know: which bodies may be left out, what an answer is, which components are doubles. */
function finish(made: ReturnType<SwaggerTransformObject>): ReturnType<SwaggerTransformObject> {
  // Made above, of no other form; the plugin's own type would have it be of OpenAPI 2 or without paths.
  const document = made as unknown as Document;
  for (const { summary, requestBody, responses } of Object.values(document.paths).flatMap(Object.values<Operation>)) {
    const schema = requestBody?.content["application/json"]?.schema;
    if (requestBody !== undefined && schema !== undefined) requestBody.required = !("default" in schema);
    for (const response of Object.values(responses)) {
      if (response.description === "Default Response") response.description = summary;
    }
  }
  // The plugin makes two of each named schema, for requests and for answers; those of ours are in answers alone.
  const { components } = document;
  components.schemas = Object.fromEntries(
    Object.entries(components.schemas).filter(([name]) => !name.endsWith("Input")),
  );
  return made;
}

/** `document`: asked once, when all routes are registered. */
export function openApiRoutes(scope: ZodServer, document: () => object): void {
  let text: string | null = null;
  scope.get("/docs/openapi.json", { schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(document());
    return reply.type("application/json; charset=utf-8").serializer(String).send(text);
  });
}
