/**
 * The catalogue of errors: one code for each kind, its HTTP status, and whether sending the same thing again can help.
 * Error frames, HTTP answers, the tests and the documentation all read this table.
 */
import { z } from "zod";

export const errorCatalogue = {
  invalid_json: { status: 400, retry: false, meaning: "the frame or body is not JSON" },
  invalid_frame: { status: 400, retry: false, meaning: "a field is missing, unknown or of the wrong form" },
  unknown_type: { status: 400, retry: false, meaning: "no such frame type or event on this path" },
  too_large: {
    status: 413,
    retry: false,
    meaning: "the body is larger than MAX_FRAME_BYTES, or the headers than 16 KiB",
  },
  rate_limited: { status: 429, retry: true, meaning: "too many in a short time; retry_after says how many ms to wait" },
  unauthorized: { status: 401, retry: false, meaning: "no token, or one that is not valid" },
  forbidden: { status: 403, retry: false, meaning: "not yours to do or to see" },
  not_found: { status: 404, retry: false, meaning: "no such thing, or not yours to know of" },
  conflict: { status: 409, retry: false, meaning: "the id or name is taken" },
  unavailable: { status: 503, retry: true, meaning: "nothing was stored; retry with the same client id" },
  internal: { status: 500, retry: false, meaning: "a fault of the server's; it is in its log" },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

export const errorCode = z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]);

/** The body of an HTTP error. */
export const errorBody = z.strictObject({
  error: z.strictObject({
    code: errorCode,
    message: z.string(),
    retry_after: z.number().int().positive().optional().describe("milliseconds; with rate_limited"),
  }),
});

/**
 * The one line that says what is wrong with an input: the path of the first bad field and what was expected there.
 *
 * @example describeIssues(error) // "attachments.0: expected an http or https URL"
 */
export function describeIssues(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "invalid";
  if (issue.code === "unrecognized_keys") {
    return `${[...issue.path, issue.keys[0] ?? ""].join(".")}: unknown field`;
  }
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}
