import { type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { secretKey } from "../../server/auth/keys.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";

const key = secretKey("a secret of rather more than 32 bytes");
const HOUR = 3_600;
const now = () => Math.floor(Date.now() / 1_000);

const sign = (payload: JWTPayload, typ?: string) =>
  new SignJWT({ sub: "u-1", ...payload })
    .setProtectedHeader({ alg: "HS256", ...(typ !== undefined && { typ }) })
    .sign(key.secret);

const settings = { key, issuer: null, audience: null };
const strict = createAuthenticator({ ...settings, maxLifetime: HOUR });
const lenient = createAuthenticator(settings);

describe("a token's end", () => {
  it("[AUTH-4] has to be there in production, and no further ahead than MAX_TOKEN_LIFETIME", async () => {
    expect(await strict(await sign({ exp: now() + HOUR }))).toMatchObject({ claims: { id: "u-1" } });
    await expect(strict(await sign({}))).rejects.toThrow(/no exp/);
    await expect(strict(await sign({ exp: now() + HOUR + 60 }))).rejects.toThrow(/MAX_TOKEN_LIFETIME \(3600 s\)/);
    expect(await lenient(await sign({}))).toMatchObject({ expiresAt: null });
    expect(await lenient(await sign({ exp: now() + 100 * HOUR }))).toMatchObject({ claims: { id: "u-1" } });
  });

  it.each([1e308, 8_640_000_000_001, -1, 0, "9999999999", null, []])(
    "is refused everywhere where it is none: %j",
    async (exp) => {
      const token = await sign({ exp: exp as number });
      for (const authenticate of [strict, lenient]) await expect(authenticate(token)).rejects.toThrow(Unauthorized);
    },
  );
});

describe("a token's kind", () => {
  it.each([undefined, "JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])(
    "is one that is taken: typ %s",
    async (typ) => {
      expect(await lenient(await sign({}, typ))).toMatchObject({ claims: { id: "u-1" } });
    },
  );

  it.each(["refresh", "rt+jwt", "logout+jwt", "dpop+jwt", "id+jwt", "application/secevent+jwt"])(
    "[AUTH-4] is none that is taken: typ %s",
    async (typ) => {
      await expect(lenient(await sign({}, typ))).rejects.toThrow(Unauthorized);
    },
  );

  it.each([{ token_use: "refresh" }, { token_type: "refresh" }, { typ: "Refresh" }, { typ: "Offline" }])(
    "[AUTH-4] is none that is taken: %j",
    async (claims) => {
      await expect(lenient(await sign(claims))).rejects.toThrow(Unauthorized);
    },
  );

  it("is taken where a claim says that it is for access", async () => {
    for (const claims of [{ token_use: "access" }, { typ: "Bearer" }, { token_type: "access" }]) {
      expect(await lenient(await sign(claims))).toMatchObject({ claims: { id: "u-1" } });
    }
  });
});
