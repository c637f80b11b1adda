/** Requests are checked by their zod schemas; what is wrong is said with the place it is in. */
import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { describeIssues } from "../protocol/errors.ts";

/** A part of the request is not as its schema says. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";

  /** @example new InvalidRequest("query", error).message // "query.limit: expected a whole number from 1 to 100" */
  constructor(part: string, error: z.ZodError) {
    super(describeIssues(new z.ZodError(error.issues.map((issue) => ({ ...issue, path: [part, ...issue.path] })))));
  }
}

const partNames: Readonly<Record<string, string>> = { querystring: "query", params: "path", headers: "header" };

export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = "body" }) => {
  const part = partNames[httpPart] ?? httpPart;
  return (data: unknown) => {
    // Fastify hands over null for a body that was not there, where zod's defaults answer to undefined.
    const parsed = schema.safeParse(data ?? undefined);
    return parsed.success ? { value: parsed.data } : { error: new InvalidRequest(part, parsed.error) };
  };
};
