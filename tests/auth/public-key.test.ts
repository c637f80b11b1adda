import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { parsePublicKey, secretKey } from "../../server/auth/keys.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed25519 = generateKeyPairSync("ed25519");

function pemOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

function authenticatorFor(pem: string) {
  const key = parsePublicKey(pem);
  if (key === null) throw new Error("not a public key");
  return createAuthenticator({ key: { kind: "public_key", ...key }, issuer: null, audience: null });
}

function sign(alg: string, key: KeyObject | Uint8Array): Promise<string> {
  return new SignJWT({ sub: "u-1" }).setProtectedHeader({ alg }).sign(key);
}

describe("a public key", () => {
  it.each([
    ["RS256", rsa],
    ["ES256", p256],
    ["EdDSA", ed25519],
    ["Ed25519", ed25519],
  ])("verifies %s, its line ends real or written", async (alg, pair) => {
    const token = await sign(alg, pair.privateKey);
    const pem = pemOf(pair.publicKey);
    for (const spelling of [pem, pem.replaceAll("\n", "\\n")]) {
      expect(await authenticatorFor(spelling)(token)).toMatchObject({ claims: { id: "u-1" } });
    }
  });

  it("refuses a token that another key signed", async () => {
    const token = await sign("ES256", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    await expect(authenticatorFor(pemOf(p256.publicKey))(token)).rejects.toThrow(Unauthorized);
  });

  it.each([
    ["RSA", "RS512", rsa],
    ["RSA", "PS256", rsa],
  ])("of %s refuses %s", async (_type, alg, pair) => {
    const token = await sign(alg, pair.privateKey);
    await expect(authenticatorFor(pemOf(pair.publicKey))(token)).rejects.toThrow(Unauthorized);
  });

  it.each([
    ["RSA", rsa],
    ["P-256", p256],
    ["Ed25519", ed25519],
  ])("of %s is not taken for the secret of an HS256 token", async (_type, pair) => {
    const pem = pemOf(pair.publicKey);
    const token = await sign("HS256", secretKey(pem).secret);
    await expect(authenticatorFor(pem)(token)).rejects.toThrow(Unauthorized);
    // The forgery is sound: whoever did take the text for a secret would let it in.
    const confused = createAuthenticator({ key: secretKey(pem), issuer: null, audience: null });
    expect(await confused(token)).toMatchObject({ claims: { id: "u-1" } });
  });
});

describe("what is not taken as a public key", () => {
  it.each([
    ["text", "not a key"],
    ["a private key", p256.privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    ["RSA of too few bits", pemOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)],
    ["a curve that no algorithm here uses", pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey)],
    ["a key that does not sign", pemOf(generateKeyPairSync("x25519").publicKey)],
  ])("%s", (_name, pem) => {
    expect(parsePublicKey(pem)).toBeNull();
  });
});
