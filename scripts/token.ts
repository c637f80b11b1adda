/**
 * Prints a development token: `npm run --silent token -- alice`. It reads the settings, and the secret in DATA_DIR, as the server
 * does, asks the server that runs with them, which makes the user known to others, and signs the token itself where none runs.
 */
import { askingSecret, developmentSecret, signDevelopmentToken } from "../server/auth/development-secret.ts";
import { loadConfig, readEnvironmentFile } from "../server/config.ts";
import { developmentToken, developmentTokenRequest } from "../server/protocol/http.ts";

/** 30 days, as the server gives them. */
const LIFETIME_SECONDS = 30 * 24 * 60 * 60;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const { dataDirectory, host, port, tokens } = loadConfig({ ...readEnvironmentFile(".env"), ...process.env });
if (tokens !== null) fail("a key is configured: sign tokens with it, there are none for the asking");
const secret = await developmentSecret(dataDirectory);
const asked = developmentTokenRequest.safeParse({ username: process.argv[2], secret: askingSecret(secret) });
if (!asked.success) fail("usage: npm run --silent token -- <username>");
const { username } = asked.data;

/** The server listens on it or on every address; in either case it is asked on this machine. */
const address = host.includes(":") ? "[::1]" : "127.0.0.1";
const answer = await fetch(`http://${address}:${port}/api/dev/token`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(asked.data),
}).catch(() => null);

if (answer?.ok) {
  console.log(developmentToken.parse(await answer.json()).token);
} else {
  console.error(
    answer === null
      ? `no server at port ${port}: the token is signed here, for one that will run with this DATA_DIR`
      : `the server at port ${port} gives none (${await answer.text()}); the token is for one with this DATA_DIR`,
  );
  console.log(await signDevelopmentToken(secret, { id: username, username }, LIFETIME_SECONDS));
}
