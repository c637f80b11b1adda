import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { describeSize, requireBound, sizeOf } from "../../scripts/bundle-size.ts";

test("a bundle's size is that of its bytes, and of what gzip makes of them", () => {
  const bundle = new TextEncoder().encode("export const ë = 1;".repeat(100));
  const size = sizeOf(bundle);
  expect(size).toEqual({ minified: 2000, gzipped: gzipSync(bundle).byteLength });
  expect(size.gzipped).toBeLessThan(200);
  // What cannot be compressed grows: it is not the smaller of the two that is told.
  const noise = sizeOf(randomBytes(1000));
  expect(noise.gzipped).toBeGreaterThan(noise.minified);
});

test("it is told in one line", () => {
  const size = { minified: 15_000, gzipped: 4915 };
  expect(describeSize("client library", size, 6144)).toBe("client library: 4.8 kB minified and gzipped (bound: 6 kB)");
  expect(describeSize("page", size, null)).toBe("page: 4.8 kB minified and gzipped");
});

test("the bound itself is allowed, and not a byte more", () => {
  requireBound("client library", { minified: 15_000, gzipped: 6144 }, 6144);
  expect(() => requireBound("client library", { minified: 15_000, gzipped: 6145 }, 6144)).toThrow(
    "client library: 6145 bytes gzipped, 1 more than its bound",
  );
});
