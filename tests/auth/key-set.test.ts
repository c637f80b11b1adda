import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { secretKey } from "../../server/auth/keys.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";
import { Refusal } from "../../server/core/errors.ts";

interface Issuer {
  readonly key: CryptoKey;
  readonly kid: string;
  readonly alg: string;
  readonly jwk: object;
}

async function issuerWith(alg: string, kid: string): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  return { key: privateKey, kid, alg, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

function tokenOf({ key, kid, alg }: Issuer): Promise<string> {
  return new SignJWT({ sub: "u-1" }).setProtectedHeader({ alg, kid }).sign(key);
}

/** In milliseconds: how long a set is used without a look at the issuer's, and at most; and after a failure, until the next try. */
const [FRESH, USABLE, RETRY] = [10 * 60_000, 60 * 60_000, 5_000];
/** Milliseconds that a fetched set is kept although a token names a key it lacks. */
const COOLDOWN = 30_000;

describe("a key set", () => {
  let published: { status: number; keys: object[] };
  let fetches: number;
  /** In place of what is published. */
  let body: string | null;
  let url: URL;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(published.status, { "content-type": "application/json" });
    response.end(body ?? JSON.stringify({ keys: published.keys }));
  });

  beforeEach(async () => {
    // The clock alone: sockets keep their real timers.
    vi.useFakeTimers({ toFake: ["Date"] });
    published = { status: 200, keys: [] };
    fetches = 0;
    body = null;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
  });

  afterEach(async () => {
    vi.useRealTimers();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });

  const authenticator = () => createAuthenticator({ key: { kind: "key_set", url }, issuer: null, audience: null });

  it.each(["RS256", "ES256", "EdDSA", "Ed25519"])("verifies %s, fetched once", async (alg) => {
    const issuer = await issuerWith(alg, "k1");
    published.keys = [issuer.jwk];
    const authenticate = authenticator();
    for (let times = 0; times < 3; times += 1) {
      expect(await authenticate(await tokenOf(issuer))).toMatchObject({ claims: { id: "u-1" } });
    }
    expect(fetches).toBe(1);
  });

  it("follows the issuer to a new key, and forgets the old one", async () => {
    const [before, after] = [await issuerWith("ES256", "k1"), await issuerWith("ES256", "k2")];
    published.keys = [before.jwk];
    const authenticate = authenticator();
    await authenticate(await tokenOf(before));

    published.keys = [after.jwk];
    vi.setSystemTime(Date.now() + COOLDOWN);
    expect(await authenticate(await tokenOf(after))).toMatchObject({ claims: { id: "u-1" } });
    await expect(authenticate(await tokenOf(before))).rejects.toThrow(Unauthorized);
    expect(fetches).toBe(2);
  });

  it("is not fetched for each token that names an unknown key", async () => {
    const [known, unknown] = [await issuerWith("ES256", "k1"), await issuerWith("ES256", "k2")];
    published.keys = [known.jwk];
    const authenticate = authenticator();
    await authenticate(await tokenOf(known));
    for (let times = 0; times < 3; times += 1) {
      await expect(authenticate(await tokenOf(unknown))).rejects.toThrow(Unauthorized);
    }
    expect(fetches).toBe(1);
  });

  it("refuses HS256 without a look at the set", async () => {
    const token = await new SignJWT({ sub: "u-1" }).setProtectedHeader({ alg: "HS256" }).sign(secretKey("x").secret);
    await expect(authenticator()(token)).rejects.toThrow(Unauthorized);
    expect(fetches).toBe(0);
  });

  it("refuses a token that several of its keys may have signed", async () => {
    const [first, second] = [await issuerWith("ES256", "k1"), await issuerWith("ES256", "k2")];
    published.keys = [first.jwk, second.jwk];
    const token = await new SignJWT({ sub: "u-1" }).setProtectedHeader({ alg: "ES256" }).sign(first.key);
    await expect(authenticator()(token)).rejects.toThrow(Unauthorized);
  });

  it("that cannot be fetched is not the token's fault, and is asked for again", async () => {
    const issuer = await issuerWith("ES256", "k1");
    published = { status: 503, keys: [] };
    const authenticate = authenticator();
    const failure = await authenticate(await tokenOf(issuer)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Refusal);
    expect(failure).toHaveProperty("code", "unavailable");

    published = { status: 200, keys: [issuer.jwk] };
    vi.setSystemTime(Date.now() + RETRY);
    expect(await authenticate(await tokenOf(issuer))).toMatchObject({ claims: { id: "u-1" } });
  });

  it("is fetched once for all that wait, and a failing issuer is asked once in 5 s", async () => {
    const issuer = await issuerWith("ES256", "k1");
    published = { status: 503, keys: [] };
    const authenticate = authenticator();
    const token = await tokenOf(issuer);
    const all = () => Promise.allSettled(Array.from({ length: 20 }, () => authenticate(token)));
    expect((await all()).every(({ status }) => status === "rejected")).toBe(true);
    await all();
    expect(fetches).toBe(1);
    vi.setSystemTime(Date.now() + RETRY);
    published = { status: 200, keys: [issuer.jwk] };
    expect((await all()).every(({ status }) => status === "fulfilled")).toBe(true);
    expect(fetches).toBe(2);
  });

  it("serves for an hour where the issuer fails, and no longer", async () => {
    const issuer = await issuerWith("ES256", "k1");
    published.keys = [issuer.jwk];
    const authenticate = authenticator();
    const token = await tokenOf(issuer);
    await authenticate(token);
    published.status = 500;
    vi.setSystemTime(Date.now() + FRESH);
    await authenticate(token);
    await authenticate(token);
    expect(fetches).toBe(2);
    vi.setSystemTime(Date.now() + USABLE - FRESH);
    await expect(authenticate(token)).rejects.toHaveProperty("code", "unavailable");
  });

  it.each([
    ["no JSON", "<html>"],
    ["no key set", '{"keys":7}'],
    ["more than a set can be", `{"keys":[],"x":"${"x".repeat(1_048_576)}"}`],
  ])("that is none is the issuer's fault: %s", async (_name, text) => {
    body = text;
    const issuer = await issuerWith("ES256", "k1");
    await expect(authenticator()(await tokenOf(issuer))).rejects.toHaveProperty("code", "unavailable");
  });
});
