import { describe, expect, it } from "vitest";
import { readBearer, readToken, redactUrl, selectSubprotocol } from "../../server/auth/handshake.ts";

describe("the token of a handshake", () => {
  it.each([
    ["header", { headers: { authorization: "Bearer a.b.c" } }],
    ["header", { headers: { authorization: "bearer  a.b.c " } }],
    ["subprotocol", { headers: { "sec-websocket-protocol": "bearer, a.b.c" } }],
    ["subprotocol", { headers: { "sec-websocket-protocol": "chat,bearer,a.b.c" } }],
    ["query", { headers: {}, url: "/ws/bob/?since=3&token=a.b.c" }],
    ["query", { headers: {}, url: "/chat?%74oken=a%2Eb.c" }],
    ["cookie", { headers: { cookie: "token=a.b.c" } }],
    ["cookie", { headers: { cookie: "theme=dark; token=a.b.c; csrftoken=x" } }],
    ["cookie", { headers: { cookie: 'token="a.b.c"' } }],
    ["cookie", { headers: { cookie: "token = a%2Eb%2Ec" } }],
    ["cookie", { headers: { cookie: "token=a.b.c; token=less.specific.path" } }],
  ])("comes by %s: %j", (source, request) => {
    expect(readToken(request)).toEqual({ token: "a.b.c", source });
  });

  it.each([
    [{ headers: {} }],
    [{ headers: {}, url: "/chat?token=" }],
    [{ headers: {}, url: "/chat?mytoken=a" }],
    [{ headers: {}, url: "/token=a" }],
    [{ headers: { authorization: "Basic YTpi" } }],
    [{ headers: { authorization: "Bearer" } }],
    [{ headers: { authorization: "Bearer two words" } }],
    [{ headers: { "sec-websocket-protocol": "bearer" } }],
    [{ headers: { "sec-websocket-protocol": "a.b.c" } }],
    [{ headers: { cookie: "csrftoken=a; Token=b; token; token=" } }],
  ])("is not found in %j", (request) => {
    expect(readToken(request)).toBeNull();
  });

  it("is the first of header, subprotocol, query and cookie", () => {
    const headers = { cookie: "token=cookie" };
    const url = "/chat?token=query";
    const offered = { ...headers, "sec-websocket-protocol": "bearer, subprotocol" };
    expect(readToken({ headers })?.token).toBe("cookie");
    expect(readToken({ headers, url })?.token).toBe("query");
    expect(readToken({ headers: offered, url })?.token).toBe("subprotocol");
    expect(readToken({ headers: { ...offered, authorization: "Bearer header" }, url })?.token).toBe("header");
  });

  it("is the cookie as it stands when its percent signs encode nothing", () => {
    expect(readToken({ headers: { cookie: "token=100%" } })?.token).toBe("100%");
  });
});

it("over HTTP only the header has a token", () => {
  expect(readBearer({ authorization: "Bearer a.b.c" })).toBe("a.b.c");
  expect(readBearer({ cookie: "token=a.b.c", "sec-websocket-protocol": "bearer, a.b.c" })).toBeNull();
});

it("bearer is the only subprotocol", () => {
  expect(selectSubprotocol(new Set(["bearer", "a.b.c"]))).toBe("bearer");
  expect(selectSubprotocol(new Set(["graphql-ws"]))).toBe(false);
  expect(selectSubprotocol(new Set())).toBe(false);
});

describe("a URL for the log", () => {
  it.each([
    ["/ws/bob/", "/ws/bob/"],
    ["/ws/bob/?since=3", "/ws/bob/?since=3"],
    ["/ws/bob/?token=a.b.c", "/ws/bob/?token=[redacted]"],
    ["/ws/bob/?token=a.b.c&since=3&token=d", "/ws/bob/?token=[redacted]&since=3&token=[redacted]"],
    ["/ws/bob/?%74oken=a.b.c", "/ws/bob/?token=[redacted]"],
    ["/ws/bob/?x=1?token=a.b.c", "/ws/bob/?x=1?token=a.b.c"],
    ["/ws/bob/??token=a.b.c", "/ws/bob/?token=[redacted]"],
  ])("%s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});
