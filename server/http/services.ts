import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Registry } from "prom-client";
import type { Arrivals } from "../arrivals.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import type { AllowedOrigins } from "../auth/origin.ts";
import type { Conversations } from "../core/conversations.ts";
import type { Directory } from "../core/directory.ts";
import type { Groups } from "../core/groups.ts";
import type { LargeReads } from "../core/large-reads.ts";
import type { Messages } from "../core/messages.ts";
import type { RateLimit } from "../core/rate.ts";
import type { Reading } from "../core/reading.ts";
import type { Users } from "../core/users.ts";
import type { TrustedProxies } from "../trusted-proxies.ts";

/** What the routes call, and the settings that they depend on. */
export interface HttpServices {
  readonly users: Users;
  readonly directory: Directory;
  readonly conversations: Conversations;
  readonly groups: Groups;
  readonly messages: Messages;
  readonly reading: Reading;
  /** Units of work, for each user. */
  readonly commandRate: RateLimit;
  readonly largeReads: LargeReads;
  readonly authenticate: Authenticator;
  /** Reject while they do not answer. */
  readonly storage: { ping(): Promise<void> };
  readonly channelLayer: { ping(): Promise<void> };
  /** Answered by GET /metrics. */
  readonly metrics: Registry;
  /** Of Parley, for the OpenAPI document. */
  readonly version: string;
  /** Code points. */
  readonly maxMessageChars: number;
  /** Of an answer, beyond its last item. */
  readonly maxPageBytes: number;
  readonly allowedOrigins: AllowedOrigins;
  readonly arrivals: Arrivals;
  /** Of one client network, answered at a time. */
  readonly maxRequestsPerAddress: number;
  /** Whether the operator's routes are on another server, made with `registerOperations`. */
  readonly hasOperationsElsewhere: boolean;
  /** Null: none. */
  readonly trustedProxies: TrustedProxies | null;
  /** What a back end provisions users with; null: there is no such route. */
  readonly apiKey: string | null;
  /** What development tokens are signed with; null: a real key is configured, and there is no such route. */
  readonly developmentSecret: string | null;
  /** Where the built web page is; null: there is none. */
  readonly pageFolder: string | null;
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal;
}

/** A server whose routes are typed by their zod schemas. */
export type ZodServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
