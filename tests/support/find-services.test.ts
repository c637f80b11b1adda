import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findPostgres, findRedis } from "./find-services.ts";
import { startPostgres } from "./postgres-server.ts";
import { freePort } from "./server-process.ts";

const PREFIX = "parley_test_unused_";

describe("a service that the environment names and that is not there", () => {
  test("PostgreSQL: refused", async () => {
    const found = await findPostgres(`postgresql://user:secret@127.0.0.1:${await freePort()}/parley`, PREFIX);
    expect(found.service).toEqual({
      status: "missing",
      reason: expect.stringMatching(/^PostgreSQL at DATABASE_URL: .*ECONNREFUSED/),
    });
    expect(JSON.stringify(found.service)).not.toContain("secret");
  });

  test("Redis: refused", async () => {
    const found = await findRedis(`redis://:secret@127.0.0.1:${await freePort()}`);
    expect(found.service).toEqual({
      status: "missing",
      reason: expect.stringMatching(/^Redis at REDIS_URL: .*ECONNREFUSED/),
    });
    expect(JSON.stringify(found.service)).not.toContain("secret");
  });

  describe("connected, but silent", () => {
    // It reads, so that it sees the client go, and says nothing.
    const silent = createServer((socket) => socket.resume());
    let address: string;

    beforeAll(async () => {
      const port = await freePort();
      await new Promise<void>((resolve) => silent.listen(port, "127.0.0.1", resolve));
      address = `127.0.0.1:${port}`;
    });
    afterAll(() => new Promise((resolve) => silent.close(resolve)));

    test.concurrent("PostgreSQL", async () => {
      const found = await findPostgres(`postgresql://postgres@${address}/parley`, PREFIX);
      expect(found.service).toEqual({ status: "missing", reason: expect.stringContaining("timeout expired") });
    });

    test.concurrent("Redis", async () => {
      const found = await findRedis(`redis://${address}`);
      expect(found.service).toEqual({ status: "missing", reason: expect.stringMatching(/timed out/i) });
    });
  });
});

describe("binaries that do not work", () => {
  let binaries: string;

  beforeEach(async () => {
    binaries = await mkdtemp(join(tmpdir(), "parley-test-binaries-"));
    // The server's account, where that is another one, is to reach them.
    await chmod(binaries, 0o755);
  });
  afterEach(() => rm(binaries, { recursive: true }));

  const install = (name: string, script: string) =>
    writeFile(join(binaries, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  test("an initdb that fails: its own words are the reason", async () => {
    await install("initdb", "echo no room on the disk >&2; exit 1");
    await expect(startPostgres({ binaries })).rejects.toThrow(/initdb failed with exit code 1:\nno room on the disk$/);
  });

  test("a server that ends before it answers: its own log is the reason", async () => {
    await install("initdb", "exit 0");
    await install("postgres", "echo could not bind >&2; exit 2");
    await expect(startPostgres({ binaries })).rejects.toThrow(
      /postgres ended with exit code 2 before it answered:\ncould not bind$/,
    );
  });

  test("none at all", async () => {
    await expect(startPostgres({ binaries })).rejects.toThrow(/initdb failed with exit code 127:/);
  });
});
