/** For whoever runs the server: is it alive, is it ready, what does it count. */
import type { FastifyBaseLogger } from "fastify";
import { z } from "zod";
import { alive, type ReadinessBody, readiness } from "../protocol/http.ts";
import { refusals } from "./refusals.ts";
import type { HttpServices, ZodServer } from "./services.ts";

/** Milliseconds after which what has not answered counts as unavailable. */
const DEADLINE = 2_000;

type OperationServices = Pick<HttpServices, "storage" | "channelLayer" | "metrics" | "stopping">;

export function operationRoutes(scope: ZodServer, services: OperationServices): void {
  const { storage, channelLayer, metrics, stopping } = services;
  scope.get(
    "/healthz",
    { schema: { tags: ["operations"], summary: "The process is alive", response: { 200: alive, ...refusals() } } },
    async () => ({ status: "ok" as const }),
  );

  scope.get(
    "/readyz",
    {
      schema: {
        tags: ["operations"],
        summary: "The node takes sockets: storage and channel layer answer",
        response: {
          200: readiness.describe("Both answer"),
          503: readiness.describe("One of them does not, or the node is stopping"),
          ...refusals(),
        },
      },
    },
    async (request, reply) => {
      const [storageHealth, layerHealth] = await Promise.all([
        healthOf("storage", storage, request.log),
        healthOf("channel layer", channelLayer, request.log),
      ]);
      const isHealthy = storageHealth === "ok" && layerHealth === "ok";
      const status = stopping.aborted ? "stopping" : isHealthy ? "ok" : "unavailable";
      return reply
        .code(status === "ok" ? 200 : 503)
        .send({ status, storage: storageHealth, channel_layer: layerHealth });
    },
  );

  scope.get(
    "/metrics",
    {
      schema: {
        tags: ["operations"],
        summary: "Metrics in Prometheus's text format",
        response: {
          200: { description: "The metrics", content: { "text/plain": { schema: z.string() } } },
          ...refusals(),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}

async function healthOf(
  name: string,
  part: { ping(): Promise<void> },
  log: FastifyBaseLogger,
): Promise<ReadinessBody["storage"]> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE} ms`)), DEADLINE);
  });
  try {
    await Promise.race([part.ping(), deadline]);
    return "ok";
  } catch (error) {
    log.warn({ err: error }, `${name} is unavailable`);
    return "unavailable";
  } finally {
    clearTimeout(timer);
  }
}
