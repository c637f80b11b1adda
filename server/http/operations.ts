/** For whoever runs the server: is it alive, is it ready, what does it count. */
import { z } from "zod";
import { alive, readiness } from "../protocol/http.ts";
import { Readiness } from "./readiness.ts";
import { refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** Milliseconds for which the text of the metrics is good. */
const METRICS_LIFETIME = 1_000;

/** The paths of these routes and of the OpenAPI document. */
export const OPERATIONS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics", "/docs/openapi.json"]);

type OperationServices = Pick<HttpServices, "storage" | "channelLayer" | "metrics" | "stopping">;

export function operationRoutes(scope: ZodServer, services: OperationServices): void {
  const { metrics } = services;
  const ready = new Readiness(services, scope.log);
  const text = new SharedAnswer(() => metrics.metrics(), METRICS_LIFETIME);
  scope.get(
    "/healthz",
    {
      schema: {
        tags: ["operations"],
        summary: "The process is alive",
        response: { 200: alive, ...refusals("rate_limited") },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  scope.get(
    "/readyz",
    {
      schema: {
        tags: ["operations"],
        summary: "The node takes sockets: storage and channel layer could serve, asked once a second at most",
        response: {
          200: readiness.describe("Both can"),
          503: readiness.describe("One of them cannot, or the node is stopping"),
          ...refusals("rate_limited"),
        },
      },
    },
    async (_request, reply) => {
      const body = await ready.body();
      return reply.code(body.status === "ok" ? 200 : 503).send(body);
    },
  );

  scope.get(
    "/metrics",
    {
      schema: {
        tags: ["operations"],
        summary: "Metrics in Prometheus's text format, read once a second at most",
        response: {
          200: { description: "The metrics", content: { "text/plain": { schema: z.string() } } },
          ...refusals("rate_limited"),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await text.get()),
  );
}
