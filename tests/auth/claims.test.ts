import { describe, expect, it } from "vitest";
import { type Claims, readClaims, usernameForNewUser } from "../../server/auth/claims.ts";
import { Unauthorized } from "../../server/auth/unauthorized.ts";

const silent: Claims = {
  id: "u-1",
  username: undefined,
  name: undefined,
  firstName: undefined,
  lastName: undefined,
  avatar: undefined,
};

describe("claims", () => {
  it.each<[string, object, Partial<Claims>]>([
    ["say nothing where they are absent", {}, {}],
    [
      "are read in our spelling",
      { first_name: "Ann", last_name: "Lee", avatar: "https://a.example/1" },
      { firstName: "Ann", lastName: "Lee", avatar: "https://a.example/1" },
    ],
    [
      "are read in OpenID Connect's",
      { given_name: "Ann", family_name: "Lee", picture: "ann.png" },
      { firstName: "Ann", lastName: "Lee", avatar: "ann.png" },
    ],
    [
      "prefer our spelling",
      { first_name: "Ann", given_name: "Bea", avatar: "a.png", picture: "b.png" },
      { firstName: "Ann", avatar: "a.png" },
    ],
    ["prefer our spelling although it says that there is none", { avatar: null, picture: "b.png" }, { avatar: null }],
    ["clear what they give as null", { last_name: null, picture: null }, { lastName: "", avatar: null }],
    ["clear what they give as empty", { last_name: "", avatar: "" }, { lastName: "", avatar: null }],
    ["say nothing by an empty name", { name: "" }, {}],
    ["say nothing by a null username", { username: null }, {}],
    ["take usernames beyond ASCII", { username: "zoë+1@a.b-c_d" }, { username: "zoë+1@a.b-c_d" }],
    ["may be others, which are ignored", { scope: "chat", roles: ["x"] }, {}],
  ])("%s", (_name, payload, expected) => {
    expect(readClaims({ sub: "u-1", ...payload }).claims).toEqual({ ...silent, ...expected });
  });

  it.each<[string, object, string]>([
    ["a sub that is no string", { sub: 7 }, "sub: "],
    ["a sub that PostgreSQL cannot store", { sub: "a\u0000b" }, "sub: must be well-formed Unicode without NUL"],
    ["an empty username", { username: "" }, "username: "],
    ["a username too long", { username: "x".repeat(151) }, "username: "],
    ["a name that is no string", { name: { first: "Ann" } }, "name: "],
    ["a name too long", { first_name: "x".repeat(257) }, "first_name: expected at most 256 characters"],
    ["a picture with another scheme", { picture: "javascript:alert(1)" }, "picture: expected an http or https URL"],
    ["an end that is no number", { exp: "tomorrow" }, "exp: "],
  ])("refuse %s, naming the claim", (_name, payload, message) => {
    const read = () => readClaims({ sub: "u-1", ...payload });
    expect(read).toThrow(Unauthorized);
    expect(read).toThrow(message);
  });
});

describe("the username of somebody new", () => {
  it("is the claim's", () => {
    expect(usernameForNewUser({ ...silent, username: "alice" })).toBe("alice");
  });

  it("is the id without one", () => {
    expect(usernameForNewUser(silent)).toBe("u-1");
  });

  it.each(["auth0|123", "notifications", "two words"])("cannot be the id %j", (id) => {
    expect(() => usernameForNewUser({ ...silent, id })).toThrow(Unauthorized);
  });
});
