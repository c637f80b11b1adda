import { type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "../../server/auth/authenticator.ts";
import { secretKey } from "../../server/auth/keys.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";

const SECRET = "a secret of rather more than 32 bytes";
const now = () => Math.floor(Date.now() / 1000);

function sign(payload: JWTPayload, { secret = SECRET, alg = "HS256" } = {}): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(secretKey(secret).secret);
}

const authenticate = createAuthenticator({ key: secretKey(SECRET), issuer: null, audience: null });

describe("a token signed with the secret", () => {
  it("names its bearer and its end", async () => {
    const exp = now() + 60;
    expect(await authenticate(await sign({ sub: "u-1", username: "alice", exp }))).toMatchObject({
      claims: { id: "u-1", username: "alice" },
      expiresAt: exp * 1000,
    });
  });

  it("never ends without exp", async () => {
    expect(await authenticate(await sign({ sub: "u-1" }))).toMatchObject({ expiresAt: null });
  });

  it("is let pass when the issuer's clock is a little ahead", async () => {
    expect(await authenticate(await sign({ sub: "u-1", nbf: now() + 3 }))).toMatchObject({ claims: { id: "u-1" } });
  });
});

describe("a token is refused", () => {
  const refusals: [string, () => string | Promise<string>, string][] = [
    ["with alg none", () => new UnsecuredJWT({ sub: "u-1" }).encode(), '"alg" (Algorithm) Header Parameter'],
    [
      "with an algorithm the key is not for",
      () => sign({ sub: "u-1" }, { alg: "HS512", secret: SECRET.repeat(2) }),
      '"alg"',
    ],
    [
      "signed with another secret",
      () => sign({ sub: "u-1" }, { secret: `${SECRET}!` }),
      "signature verification failed",
    ],
    ["expired, be it by a moment", () => sign({ sub: "u-1", exp: now() - 1 }), "the token has expired"],
    ["long expired", () => sign({ sub: "u-1", exp: now() - 3600 }), "the token has expired"],
    ["not yet valid", () => sign({ sub: "u-1", nbf: now() + 60 }), '"nbf" claim timestamp check failed'],
    ["when it is no token", () => "not.a.token", "the token is not valid"],
    ["when it is empty", () => "", "the token is not valid"],
    ["without sub", () => sign({ username: "alice" }), "sub: "],
    ["with a sub too long", () => sign({ sub: "x".repeat(129) }), "sub: expected at most 128 characters"],
    ["with an empty sub", () => sign({ sub: "" }), "sub: expected a user id of 1 to 128 characters"],
    [
      "with a malformed username",
      () => sign({ sub: "u-1", username: "al ice" }),
      "username: expected 1 to 150 letters",
    ],
    [
      "with a reserved username",
      () => sign({ sub: "u-1", username: "notifications" }),
      "username: notifications is a reserved",
    ],
  ];

  it.each(refusals)("%s", async (_name, makeToken, message) => {
    const token = await makeToken();
    const failure = await authenticate(token).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unauthorized);
    expect(failure).toHaveProperty("message", expect.stringContaining(message));
    if (token !== "") expect(failure).toHaveProperty("message", expect.not.stringContaining(token));
    expect(failure).not.toHaveProperty("cause");
  });

  it("when a signed part was changed", async () => {
    const [header, , signature] = (await sign({ sub: "u-1" })).split(".");
    const payload = Buffer.from(JSON.stringify({ sub: "u-2" })).toString("base64url");
    await expect(authenticate(`${header}.${payload}.${signature}`)).rejects.toThrow("signature verification failed");
  });
});

describe("issuer and audience", () => {
  const strict = createAuthenticator({ key: secretKey(SECRET), issuer: "https://id.example", audience: "parley" });
  const good = { sub: "u-1", iss: "https://id.example", aud: "parley" };

  it.each([
    ["as expected", good],
    ["with the audience among others", { ...good, aud: ["shop", "parley"] }],
  ])("are let in %s", async (_name, payload) => {
    expect(await strict(await sign(payload))).toMatchObject({ claims: { id: "u-1" } });
  });

  it.each([
    ["another issuer", { ...good, iss: "https://evil.example" }, '"iss"'],
    ["no issuer", { sub: "u-1", aud: "parley" }, '"iss"'],
    ["another audience", { ...good, aud: "shop" }, '"aud"'],
    ["no audience", { sub: "u-1", iss: good.iss }, '"aud"'],
  ])("are refused with %s", async (_name, payload, message) => {
    const failure = strict(await sign(payload));
    await expect(failure).rejects.toThrow(Unauthorized);
    await expect(failure).rejects.toThrow(message);
  });

  it("are not looked at when unset", async () => {
    expect(await authenticate(await sign({ ...good, iss: "https://evil.example" }))).toMatchObject({
      claims: { id: "u-1" },
    });
  });
});
