/** Whether this node could serve, asked of its parts; the log says it once when that changes. */
import type { FastifyBaseLogger } from "fastify";
import type { ReadinessBody } from "../protocol/http.ts";
import { SharedAnswer } from "./shared-answer.ts";

/** Milliseconds after which what has not answered counts as unavailable. */
const DEADLINE = 2_000;
/** Milliseconds for which an answer is good. */
const LIFETIME = 1_000;

type Health = ReadinessBody["storage"];

export interface ReadinessParts {
  /** Each rejects, with a message that says why, while it could not serve. */
  readonly storage: { ping(): Promise<void> };
  readonly channelLayer: { ping(): Promise<void> };
  readonly stopping: AbortSignal;
}

export class Readiness {
  readonly #stopping: AbortSignal;
  readonly #health: SharedAnswer<{ storage: Health; channel_layer: Health }>;

  constructor({ storage, channelLayer, stopping }: ReadinessParts, log: FastifyBaseLogger) {
    this.#stopping = stopping;
    const ofStorage = watched("storage", storage, log);
    const ofLayer = watched("the channel layer", channelLayer, log);
    this.#health = new SharedAnswer(async () => {
      const [health, layerHealth] = await Promise.all([ofStorage(), ofLayer()]);
      return { storage: health, channel_layer: layerHealth };
    }, LIFETIME);
  }

  async body(): Promise<ReadinessBody> {
    const health = await this.#health.get();
    const isHealthy = health.storage === "ok" && health.channel_layer === "ok";
    // Looked at each time: whoever stops says so at once.
    return { status: this.#stopping.aborted ? "stopping" : isHealthy ? "ok" : "unavailable", ...health };
  }
}

/** Asks a part how it is, and says in the log when that is another answer than before. */
function watched(name: string, part: { ping(): Promise<void> }, log: FastifyBaseLogger): () => Promise<Health> {
  let known: Health = "ok";
  return async () => {
    const reason = await failureOf(part);
    const health = reason === null ? "ok" : "unavailable";
    if (health === known) return health;
    known = health;
    if (reason === null) log.info({ part: name }, `ready again: ${name} can serve`);
    else log.warn({ part: name, reason }, `not ready: ${name} cannot serve: ${reason}`);
    return health;
  };
}

/** Why it cannot serve, in one line; null: it can. */
async function failureOf(part: { ping(): Promise<void> }): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${DEADLINE} ms`), DEADLINE);
  });
  try {
    return await Promise.race([part.ping().then(() => null), deadline]);
  } catch (error) {
    return reasonOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** With the first cause, which is what an operator can do something about: the outermost often says only that it failed. */
function reasonOf(error: unknown): string {
  const reasons: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    const reason = each.message.split("\n", 1)[0] ?? "";
    if (reason !== "" && !reasons.includes(reason)) reasons.push(reason);
  }
  return reasons.join(": ") || String(error);
}
