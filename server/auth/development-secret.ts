/** The secret that the server makes for itself when no key is configured. Never used in production. */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SignJWT } from "jose";
import { secretKey } from "./keys.ts";

const SECRET_BYTES = 32;
/** 32 bytes in base64url. */
const SECRET_FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * The secret kept in `<data directory>/development-secret`, made if there is none. Processes that start at once get the
 * same one. Its text, not the bytes it encodes, is the HMAC key, as with JWT_SECRET: copied there it signs the same.
 *
 * @throws Error when the file is damaged or others may read it, or the file system refuses
 */
export async function developmentSecret(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, "development-secret");
  try {
    return await readSecret(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  await makeSecret(path);
  return readSecret(path);
}

async function readSecret(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { mode } = await file.stat();
    // Refused rather than tightened, as ssh does: whoever could read it may have, and can sign as anybody. Windows keeps
    // no such bits.
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new Error(`${path}: others may read it; delete it for a new secret, or chmod 600 it if none of them has`);
    }
    const secret = (await file.readFile("utf8")).trim();
    if (!SECRET_FORM.test(secret)) throw new Error(`${path}: not a secret of this server's; delete it for a new one`);
    return secret;
  } finally {
    await file.close();
  }
}

/** Written whole under another name first: a link appears at once and never over another, so that no reader sees half. */
async function makeSecret(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
    await link(draft, path);
  } catch (error) {
    // Another process was first: its secret is the one.
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/**
 * What whoever asks for a development token has to know. The log shows it, so that a proxy with the defaults of proxies opens
 * nothing; it is not the secret itself, with which anybody could sign by themselves. The same after a restart.
 */
export function askingSecret(secret: string): string {
  return createHmac("sha256", secret).update("to ask for a development token").digest("base64url").slice(0, 32);
}

/** A token for `user`, good for `lifetime` seconds from now. */
export function signDevelopmentToken(
  secret: string,
  user: { readonly id: string; readonly username: string },
  lifetime: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ username: user.username })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user.id)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetime)
    .sign(secretKey(secret).secret);
}
