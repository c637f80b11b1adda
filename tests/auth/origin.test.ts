import { describe, expect, it } from "vitest";
import { type AllowedOrigins, checkOrigin, parseOrigin } from "../../server/auth/origin.ts";

describe("an origin", () => {
  it.each([
    ["https://app.example", "https://app.example"],
    ["HTTPS://App.Example:443/", "https://app.example"],
    ["http://localhost:5173", "http://localhost:5173"],
    ["http://[::1]:80", "http://[::1]"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["null", null],
    ["", null],
    ["*", null],
    ["app.example", null],
    ["file://", null],
    ["https://app.example/path", null],
    ["https://app.example?x", null],
    ["https://user@app.example", null],
    ["https://a.example, https://b.example", null],
  ])("%j is %j", (text, origin) => {
    expect(parseOrigin(text)).toBe(origin);
  });
});

const sameOrigin: AllowedOrigins = { kind: "same_origin" };
const any: AllowedOrigins = { kind: "any" };
const listed: AllowedOrigins = { kind: "listed", origins: new Set(["https://app.example", "capacitor://localhost"]) };

describe("who may open a socket", () => {
  it.each<[AllowedOrigins, string | undefined, string | undefined, boolean]>([
    [sameOrigin, undefined, "chat.example", true],
    [sameOrigin, "https://chat.example", "chat.example", true],
    [sameOrigin, "http://chat.example", "chat.example", true],
    [sameOrigin, "https://chat.example", "CHAT.example:443", true],
    [sameOrigin, "http://localhost:8000", "localhost:8000", true],
    [sameOrigin, "http://localhost:5173", "localhost:8000", false],
    [sameOrigin, "https://chat.example", "chat.example:80", false],
    [sameOrigin, "https://evil.example", "chat.example", false],
    [sameOrigin, "https://chat.example.evil.example", "chat.example", false],
    [sameOrigin, "https://chat.example", undefined, false],
    [sameOrigin, "https://chat.example", "chat.example/evil", false],
    [sameOrigin, "null", "chat.example", false],
    [sameOrigin, "null", "null", false],
    [sameOrigin, "", "", false],
    [listed, undefined, "chat.example", true],
    [listed, "https://app.example", "chat.example", true],
    [listed, "https://app.example:443", "chat.example", true],
    [listed, "capacitor://localhost", "chat.example", true],
    [listed, "http://app.example", "chat.example", false],
    [listed, "https://app.example:8443", "chat.example", false],
    [listed, "https://sub.app.example", "chat.example", false],
    // Those and no others: not even the server's own.
    [listed, "https://chat.example", "chat.example", false],
    [listed, "null", "chat.example", false],
    [any, undefined, "chat.example", true],
    [any, "https://evil.example", "chat.example", true],
    [any, "null", "chat.example", true],
  ])("%j, Origin %j, Host %j: %j", (allowed, origin, host, expected) => {
    const headers = { ...(origin === undefined ? {} : { origin }), ...(host === undefined ? {} : { host }) };
    expect(checkOrigin({ headers }, allowed)).toBe(expected);
  });

  it("is not decided by X-Forwarded-Host", () => {
    const headers = { origin: "https://evil.example", host: "chat.example", "x-forwarded-host": "evil.example" };
    expect(checkOrigin({ headers }, sameOrigin)).toBe(false);
  });
});
