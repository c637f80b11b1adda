import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { developmentSecret, signDevelopmentToken } from "../../server/auth/development-secret.ts";
import { secretKey } from "../../server/auth/keys.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "parley-secret-"));
  path = join(directory, "development-secret");
});

afterEach(() => rm(directory, { recursive: true }));

describe("the development secret", () => {
  it("is made once and kept", async () => {
    const secret = await developmentSecret(directory);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(await developmentSecret(directory)).toBe(secret);
  });

  it("differs from directory to directory, which it makes", async () => {
    const secrets = await Promise.all(["a", "b/c"].map((name) => developmentSecret(join(directory, name))));
    expect(new Set(secrets).size).toBe(2);
  });

  it.skipIf(process.platform === "win32")("is its owner's alone", async () => {
    await developmentSecret(directory);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is the same for all who start at once, and leaves nothing else behind", async () => {
    const secrets = await Promise.all(Array.from({ length: 20 }, () => developmentSecret(directory)));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(directory)).toEqual(["development-secret"]);
  });

  it.skipIf(process.platform === "win32").each([0o640, 0o604, 0o666])("is refused with mode %o", async (mode) => {
    await developmentSecret(directory);
    await chmod(path, mode);
    await expect(developmentSecret(directory)).rejects.toThrow(`${path}: others may read it`);
  });

  it.each(["", "short", `${"x".repeat(43)} `.repeat(2)])("is refused when damaged: %j", async (content) => {
    await writeFile(path, content, { mode: 0o600 });
    await expect(developmentSecret(directory)).rejects.toThrow(`${path}: not a secret`);
    expect(await readFile(path, "utf8")).toBe(content);
  });
});

it("signs tokens that it verifies", async () => {
  const secret = await developmentSecret(directory);
  const authenticate = createAuthenticator({ key: secretKey(secret), issuer: null, audience: null });
  const token = await signDevelopmentToken(secret, { id: "alice", username: "alice" }, 3600);
  const { claims, expiresAt } = await authenticate(token);
  expect(claims).toMatchObject({ id: "alice", username: "alice" });
  const { iat } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  expect(expiresAt).toBe((iat + 3600) * 1000);
  await expect(
    createAuthenticator({ key: secretKey(`${secret}x`), issuer: null, audience: null })(token),
  ).rejects.toThrow("signature");
});
