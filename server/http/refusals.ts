/** The errors of a route as its documentation shows them. */
import type { z } from "zod";
import { type ErrorCode, errorCatalogue } from "../protocol/errors.ts";
import { errorBodyWith } from "../protocol/http.ts";

type ErrorStatus = (typeof errorCatalogue)[ErrorCode]["status"];

/** The response schemas of these codes, by status; `internal`, which any route may answer with, is added. */
export function refusals(...codes: ErrorCode[]): Partial<Record<ErrorStatus, ReturnType<typeof errorBodyWith>>> {
  const byStatus = new Map<ErrorStatus, [ErrorCode, ...ErrorCode[]]>();
  for (const code of [...codes, "internal"] satisfies ErrorCode[]) {
    const { status } = errorCatalogue[code];
    const others = byStatus.get(status);
    if (others === undefined) byStatus.set(status, [code]);
    else others.push(code);
  }
  const schemas: Partial<Record<ErrorStatus, z.ZodType>> = {};
  for (const [status, ofStatus] of byStatus) {
    const meanings = ofStatus.map((code) => `\`${code}\`: ${errorCatalogue[code].meaning}`);
    schemas[status] = errorBodyWith(ofStatus).describe(meanings.join(". "));
  }
  return schemas as Partial<Record<ErrorStatus, ReturnType<typeof errorBodyWith>>>;
}

/** What every route that asks for a token may answer. */
export const CALLER_CODES = [
  "unauthorized",
  "conflict",
  "unavailable",
  "rate_limited",
] as const satisfies readonly ErrorCode[];

/** What every route that takes a body may answer. */
export const BODY_CODES = ["invalid_json", "invalid_frame", "too_large"] as const satisfies readonly ErrorCode[];
