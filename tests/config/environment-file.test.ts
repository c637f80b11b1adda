import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, loadConfig, readEnvironmentFile } from "../../server/config.ts";
import { environmentExample, settings } from "../../server/settings.ts";

describe(".env.example", () => {
  it("is what the settings say; `npx vitest run tests/config -u` writes it anew", async () => {
    await expect(environmentExample()).toMatchFileSnapshot("../../.env.example");
  });

  it("has every setting, each described, and changes none when copied as it is", () => {
    const file = parseEnv(environmentExample());
    expect(new Set(Object.keys(file))).toEqual(new Set(Object.keys(settings.shape)));
    for (const setting of Object.values(settings.shape)) expect(setting.description).toMatch(/\w/);
    expect(loadConfig(file)).toEqual(loadConfig({}));
  });
});

describe("an environment file", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "parley-env-"));
  });

  afterEach(() => rm(directory, { recursive: true }));

  it("goes after the environment", async () => {
    const path = join(directory, ".env");
    await writeFile(path, 'PORT=9000\nHOST="0.0.0.0" # all\n');
    expect(loadConfig({ ...readEnvironmentFile(path), PORT: "9001" })).toMatchObject({ port: 9001, host: "0.0.0.0" });
  });

  it("may be missing", () => {
    expect(readEnvironmentFile(join(directory, "none"))).toEqual({});
  });

  it("stops the start when it is there and cannot be read", () => {
    expect(() => readEnvironmentFile(directory)).toThrow(ConfigError);
    expect(() => readEnvironmentFile(directory)).toThrow(directory);
  });
});
