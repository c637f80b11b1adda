/** Tokens that say of themselves how they are to be verified (RFC 8725): the key that is configured decides, and no header. */
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authenticator, createAuthenticator } from "../../server/auth/authenticator.ts";
import { algorithmsFor } from "../../server/auth/keys.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";
import { type Config, loadConfig } from "../../server/config.ts";

const ours = generateKeyPairSync("rsa", { modulusLength: 2048 });
const theirs = generateKeyPairSync("rsa", { modulusLength: 2048 });
const secret = "a secret of rather more than 32 bytes";
const payload = { sub: "admin" };

const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const jwkOf = (key: KeyObject) => key.export({ format: "jwk" });
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of this header, whatever it says, signed so. */
function forge(header: object, sign: (input: Buffer) => Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign(Buffer.from(input)).toString("base64url")}`;
}
const rsa = (key: KeyObject) => (input: Buffer) => signBytes("RSA-SHA256", input, key);
const hmac = (key: string | Buffer) => (input: Buffer) => createHmac("sha256", key).update(input).digest();
const nothing = () => Buffer.alloc(0);

function authenticatorOf(settings: Record<string, string>): Authenticator {
  const { tokens } = loadConfig(settings) as Config & { tokens: NonNullable<Config["tokens"]> };
  expect(algorithmsFor(tokens.key)).not.toContain("none");
  return createAuthenticator(tokens);
}

let issuer: Server;
let asked: string[];
let issuerUrl: string;
beforeAll(async () => {
  asked = [];
  issuer = createServer((request, response) => {
    asked.push(request.url ?? "");
    const key = request.url === "/keys" ? ours.publicKey : theirs.publicKey;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: [{ ...jwkOf(key), kid: "k1", alg: "RS256", use: "sig" }] }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  const address = issuer.address();
  if (address === null || typeof address === "string") throw new Error("the issuer does not listen");
  issuerUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(() => issuer?.close());

/** By where the forger would have the key come from. */
const headers = (): [string, object][] => [
  ["the token itself", { jwk: jwkOf(theirs.publicKey) }],
  ["an address of the forger's", { jku: `${issuerUrl}/forged` }],
  ["a certificate's address", { x5u: `${issuerUrl}/forged` }],
  ["a certificate in the token", { x5c: [pemOf(theirs.publicKey)] }],
  ["a file", { kid: "../../../../dev/null" }],
  ["a query", { kid: "k1' UNION SELECT 'x" }],
  ["an address as the key's name", { kid: `${issuerUrl}/forged` }],
  ["an extension that must be understood", { crit: ["key"], key: "theirs" }],
];

const keys: [string, () => Record<string, string>, (header: object) => string][] = [
  ["a secret", () => ({ JWT_SECRET: secret }), (more) => forge({ alg: "HS256", ...more }, hmac(""))],
  [
    "a public key",
    () => ({ JWT_PUBLIC_KEY: pemOf(ours.publicKey) }),
    (more) => forge({ alg: "RS256", ...more }, rsa(theirs.privateKey)),
  ],
  [
    "a key set",
    () => ({ JWT_JWKS_URL: `${issuerUrl}/keys` }),
    (more) => forge({ alg: "RS256", ...more }, rsa(theirs.privateKey)),
  ],
];

describe.each(keys)("with %s", (_name, settings, forgeWith) => {
  it("[AUTH-2] the key comes from the settings alone", async () => {
    const authenticate = authenticatorOf(settings());
    for (const [place, header] of headers()) {
      await expect(authenticate(forgeWith({ kid: "k1", ...header })), place).rejects.toThrow(Unauthorized);
    }
    expect(asked.filter((path) => path !== "/keys")).toEqual([]);
  });

  it("[AUTH-2] an unsigned token is refused however its algorithm is spelled", async () => {
    const authenticate = authenticatorOf(settings());
    for (const alg of ["none", "None", "NONE", "nOnE", "", null, undefined, ["none"], 0]) {
      const token = forge({ alg, kid: "k1" }, nothing);
      await expect(authenticate(token), String(alg)).rejects.toThrow(Unauthorized);
      await expect(authenticate(token.slice(0, -1)), String(alg)).rejects.toThrow(Unauthorized);
    }
  });

  it("[AUTH-2] an unsigned token is refused that names an algorithm which would be taken", async () => {
    const authenticate = authenticatorOf(settings());
    for (const alg of ["HS256", "RS256", "ES256", "EdDSA"]) {
      await expect(authenticate(forge({ alg, kid: "k1" }, nothing)), alg).rejects.toThrow(Unauthorized);
      await expect(authenticate(forge({ alg, kid: "k1" }, () => Buffer.alloc(64))), alg).rejects.toThrow(Unauthorized);
    }
  });
});

describe("what is public about a key", () => {
  const { n = "" } = jwkOf(ours.publicKey);
  it.each([
    ["its PEM", pemOf(ours.publicKey)],
    ["its PEM without the last line end", pemOf(ours.publicKey).trim()],
    ["its DER", ours.publicKey.export({ type: "spki", format: "der" })],
    ["its PEM in PKCS #1", ours.publicKey.export({ type: "pkcs1", format: "pem" }).toString()],
    ["its modulus", Buffer.from(n, "base64url")],
    ["its modulus as it is written", n],
    ["its JWK", JSON.stringify(jwkOf(ours.publicKey))],
  ])("[AUTH-2] is no secret of an HS256 token: %s", async (_name, bytes) => {
    const token = forge({ alg: "HS256", kid: "k1" }, hmac(bytes));
    for (const settings of [{ JWT_PUBLIC_KEY: pemOf(ours.publicKey) }, { JWT_JWKS_URL: `${issuerUrl}/keys` }]) {
      await expect(authenticatorOf(settings)(token)).rejects.toThrow(Unauthorized);
    }
  });

  it("lets in who has the private one: the forgeries above fail for what is wrong with them alone", async () => {
    const token = forge({ alg: "RS256", kid: "k1" }, rsa(ours.privateKey));
    for (const settings of [{ JWT_PUBLIC_KEY: pemOf(ours.publicKey) }, { JWT_JWKS_URL: `${issuerUrl}/keys` }]) {
      expect(await authenticatorOf(settings)(token)).toMatchObject({ claims: { id: "admin" } });
    }
    const shared = forge({ alg: "HS256", kid: "k1" }, hmac(secret));
    expect(await authenticatorOf({ JWT_SECRET: secret })(shared)).toMatchObject({ claims: { id: "admin" } });
  });
});
