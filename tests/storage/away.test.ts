/** Which failures mean that storage is away, and which that something is wrong. */
import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";
import { answering, isAway } from "../../db/failures.ts";
import { StorageUnavailable } from "../../server/core/errors.ts";

function failure(code: string, severity = "ERROR"): Error {
  const error = new DatabaseError("said by PostgreSQL", 0, "error");
  Object.assign(error, { code, severity });
  // As drizzle hands it on.
  return new Error("Failed query", { cause: error });
}

describe("away", () => {
  test.each([
    "08006",
    "25006",
    "25P03",
    "25P04",
    "40001",
    "40P01",
    "53100",
    "53300",
    "55P03",
    "57014",
    "57P01",
    "58030",
  ])("%s", async (code) => {
    expect(isAway(failure(code))).toBe(true);
    await expect(answering(() => Promise.reject(failure(code)))).rejects.toBeInstanceOf(StorageUnavailable);
  });

  test("08P01 of a pooler, which ends the connection with it", () => {
    expect(isAway(failure("08P01", "FATAL"))).toBe(true);
  });
});

describe("at fault", () => {
  test.each(["08P01", "22021", "22P02", "23503", "25001", "25P02", "42601", "42501", "55000", "XX000"])(
    "%s",
    async (code) => {
      const error = failure(code);
      expect(isAway(error)).toBe(false);
      await expect(answering(() => Promise.reject(error))).rejects.toBe(error);
    },
  );
});
