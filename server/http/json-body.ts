/** JSON is the only body there is; an empty one is the same as none. */
import type { FastifyInstance } from "fastify";
import { Refusal } from "../core/errors.ts";

export function installJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  // RFC 9110, 8.4: what is encoded and not decoded would be read as something else.
  app.addHook("onRequest", async ({ headers }) => {
    const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
    if (encoding !== "" && encoding !== "identity") {
      throw new Refusal("invalid_frame", "content-encoding: expected none, a body is sent as it is");
    }
  });
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else parse(request, body, done);
  });
}
