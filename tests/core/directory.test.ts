import { describe, expect, test } from "vitest";
import { Directory, type DirectoryScope } from "../../server/core/directory.ts";
import type { Profile } from "../../server/core/model.ts";
import { RateLimit } from "../../server/core/rate.ts";
import { profileOf } from "../support/storage.ts";

/** A store that counts what it is asked, and answers when it is told to. A clock that stands still unless it is moved. */
function open(scope: DirectoryScope = "all", burst = 4) {
  const asked: unknown[][] = [];
  const waiting: { resolve: (found: Profile[]) => void; reject: (error: Error) => void }[] = [];
  const clock = { now: 0 };
  const directory = new Directory({
    store: {
      searchUsers: (...question) => {
        asked.push(question);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    },
    scope,
    rate: new RateLimit(2, burst, () => clock.now),
  });
  return { directory, asked, waiting, clock };
}

const refused = (retryAfter: number) => ({ code: "rate_limited", retryAfter });

describe("a user", () => {
  test("[LIMIT-20] searches as often as the burst, then at the rate, and others are not charged for it", async () => {
    const { directory, asked, waiting, clock } = open();
    const search = (userId: string) => {
      const found = directory.search(userId, "x", 5);
      waiting.shift()?.resolve([]);
      return found;
    };
    for (let count = 0; count < 4; count += 1) expect(await search("alice")).toEqual([]);
    await expect(search("alice")).rejects.toMatchObject(refused(500));
    expect(await search("bob")).toEqual([]);
    clock.now = 500;
    expect(await search("alice")).toEqual([]);
    await expect(search("alice")).rejects.toMatchObject(refused(500));
    expect(asked).toHaveLength(6);
  });

  test("[LIMIT-20] has two searches under way, whatever becomes of them, and others have theirs", async () => {
    const { directory, asked, waiting } = open("all", 100);
    const first = directory.search("alice", "a", 5);
    const second = directory.search("alice", "b", 5);
    await expect(directory.search("alice", "c", 5)).rejects.toMatchObject(refused(1_000));
    const bobs = directory.search("bob", "d", 5);
    expect(asked.map(([text]) => text)).toEqual(["a", "b", "d"]);

    waiting[0]?.reject(new Error("storage is away"));
    await expect(first).rejects.toThrow("storage is away");
    const third = directory.search("alice", "e", 5);
    await expect(directory.search("alice", "f", 5)).rejects.toMatchObject(refused(1_000));
    const [found] = [profileOf("found")];
    for (const { resolve } of waiting.slice(1)) resolve([found]);
    expect(await Promise.all([second, bobs, third])).toEqual([[found], [found], [found]]);
    expect(asked.map(([text]) => text)).toEqual(["a", "b", "d", "e"]);
  });
});

describe("the directory", () => {
  test.each([
    ["all", ["\u00e9", 5, undefined]],
    ["contacts", ["\u00e9", 5, "alice"]],
  ] as const)("[SIGHT-2] of %s is asked for a normalized text, of those who may be found", async (scope, question) => {
    const { directory, asked, waiting } = open(scope);
    const found = directory.search("alice", "e\u0301", 5);
    waiting[0]?.resolve([]);
    await found;
    expect(asked).toEqual([question]);
  });

  test("[SIGHT-2] that is off finds nobody and asks nothing, at the same price", async () => {
    const { directory, asked } = open("off", 1);
    expect(await directory.search("alice", "", 5)).toEqual([]);
    await expect(directory.search("alice", "", 5)).rejects.toMatchObject(refused(500));
    expect(asked).toEqual([]);
  });
});
