import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { errorBody } from "../../server/protocol/errors.ts";
import { describeOnBoth, type Stack } from "../support/stack.ts";

const found = async (stack: Stack, name: string, query = "") => {
  const { status, body } = await stack.request(name, "GET", `/api/users${query}`);
  expect(status).toBe(200);
  return body.results.map((user: { username: string }) => user.username);
};

describeOnBoth("SEARCH_RATE", { settings: { SEARCH_RATE: "2", SEARCH_BURST: "3" } }, (stack) => {
  let now = 0;
  beforeEach(() => {
    vi.spyOn(performance, "now").mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("[LIMIT-20] is what a user has after the burst; everything else goes on", async () => {
    const search = () => stack().request("seeker", "GET", "/api/users?search=seek");
    for (let sent = 0; sent < 3; sent += 1) expect((await search()).status).toBe(200);
    const { status, body } = await search();
    expect(status).toBe(429);
    expect(errorBody.parse(body).error).toMatchObject({ code: "rate_limited", retry_after: 500 });
    expect((await stack().request("seeker", "GET", "/api/me")).status).toBe(200);
    expect(await found(stack(), "another", "?search=seek")).toEqual(["seeker"]);
    now += 500;
    expect((await search()).status).toBe(200);
  });
});

describeOnBoth("USER_DIRECTORY=contacts", { settings: { USER_DIRECTORY: "contacts" } }, (stack) => {
  test("[SIGHT-2] lets those be found who share a conversation with one", async () => {
    await stack().introduce("ann", "annie", "anton");
    expect(await found(stack(), "ann", "?search=an")).toEqual([]);
    const group = { type: "group", name: "Two", members: ["annie"] };
    expect((await stack().request("ann", "POST", "/api/conversations", group)).status).toBe(201);
    expect(await found(stack(), "ann", "?search=an")).toEqual(["ann", "annie"]);
    expect(await found(stack(), "annie")).toEqual(["ann", "annie"]);
    expect(await found(stack(), "anton", "?search=ann")).toEqual([]);
  });
});

describeOnBoth("USER_DIRECTORY=off", { settings: { USER_DIRECTORY: "off" } }, (stack) => {
  test("[SIGHT-2] lets nobody be found, and who is named is still written to", async () => {
    await stack().introduce("eve", "everett");
    for (const query of ["", "?search=eve", "?search=everett"]) expect(await found(stack(), "eve", query)).toEqual([]);
    const group = { type: "group", name: "Two", members: ["everett"] };
    expect((await stack().request("eve", "POST", "/api/conversations", group)).status).toBe(201);
  });
});
