import type { z } from "zod";
import { describeIssues } from "../protocol/errors.ts";
import { BadFrame } from "./bad-frame.ts";
import type { Outcome } from "./event-session.ts";

/** A handler for each event of a dialect, given data of that event's schema. */
export type EventHandlers<Schemas extends Record<string, z.ZodType>> = {
  readonly [Name in keyof Schemas]: (data: z.infer<Schemas[Name]>) => Outcome | Promise<Outcome>;
};

/** Checks the data of a client's event and hands it to its handler. @throws BadFrame `unknown_type`, `invalid_frame`. */
export function dispatch<Schemas extends Record<string, z.ZodType>>(
  schemas: Schemas,
  handlers: EventHandlers<Schemas>,
  event: string,
  data: unknown,
): Outcome | Promise<Outcome> {
  if (!Object.hasOwn(schemas, event)) throw new BadFrame("unknown_type", "no such event on this path");
  const schema = schemas[event];
  const handler = handlers[event];
  if (schema === undefined || handler === undefined) throw new Error(`the event ${event} has no handler`);
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw new BadFrame("invalid_frame", `data.${describeIssues(parsed.error)}`);
  return handler(parsed.data as z.infer<Schemas[string]>);
}
