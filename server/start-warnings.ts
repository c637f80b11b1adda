/** What a server says of its own settings when it starts: they are allowed, and may not be meant. */
import { isLoopback } from "./auth/loopback.ts";
import { type Config, isShortSecret } from "./config.ts";

export function startWarnings({ environment, host, tokens, allowedOrigins }: Config): string[] {
  const warnings: string[] = [];
  if (environment !== "production" && host !== "localhost" && !isLoopback(host)) {
    warnings.push(
      `HOST=${host} is reached from other machines while NODE_ENV is ${environment}: on a public address set NODE_ENV=production`,
    );
    if (tokens?.key.kind === "secret" && isShortSecret(Buffer.from(tokens.key.secret).toString())) {
      warnings.push("JWT_SECRET is short: whoever guesses it signs tokens for any name");
    }
  }
  if (allowedOrigins.kind === "any") {
    warnings.push(
      "ALLOWED_ORIGINS=* lets pages of any origin open sockets; a cookie is a token for the server's own alone",
    );
  }
  return warnings;
}
