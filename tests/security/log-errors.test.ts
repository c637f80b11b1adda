import { sql } from "drizzle-orm";
import * as fc from "fast-check";
import fastify from "fastify";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { errorLogging, writtenError } from "../../server/log-errors.ts";
import { describeStorage, draft, introduce, openGroup, query } from "../support/storage.ts";

const SECRET = "a secret of somebody's";

/** All that a logger at trace writes while `work` runs. */
async function logged(work: (log: ReturnType<typeof fastify>["log"]) => unknown): Promise<string> {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  await work(fastify({ logger: { level: "trace", stream, ...errorLogging } }).log);
  return lines.join("");
}

/** The error that `work` fails with. */
async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

const failures: Record<string, (text: string) => unknown> = {
  "JSON that is none": (text) => JSON.parse(`${text}{`),
  "a URL that is none": (text) => new URL(`:${text}`),
  "a field of a text": (text) => Object.assign(Object.freeze({ text }) as object, { text: `${text}!` }),
  "a look into a text": (text) => "x" in (text as unknown as object),
  "a number that is none": (text) => BigInt(`${text}.`),
  "a check that shows its input": (text) =>
    z
      .object({ a: z.literal(1) })
      .strict()
      .parse({ a: text, [text]: 1 }, { reportInput: true }),
  "a command of Redis": (text) => {
    const message = `ERR unknown command 'x', with args beginning with: '${text}'`;
    throw Object.assign(new Error(message), { command: { name: "publish", args: [text] } });
  },
  "a statement with its parameters": (text) => {
    const cause = Object.assign(new Error(`invalid input syntax: "${text}"`), {
      code: "22P02",
      severity: "ERROR",
      detail: text,
      where: text,
      hint: text,
      internalQuery: text,
      table: "messages",
    });
    const failed = new Error(`Failed query: insert into messages values ($1)\nparams: ${text}`, { cause });
    throw new Error("it failed", {
      cause: Object.assign(failed, { query: "insert into messages values ($1)", params: [text] }),
    });
  },
  "what is no error": (text) => {
    throw { text };
  },
};

describe("an error in the log tells nothing that a user said:", () => {
  test.each(Object.entries(failures))("%s", async (_name, fail) => {
    const texts = fc
      .string({ minLength: 12, maxLength: 40, unit: "grapheme" })
      .filter((text) => /^\p{L}+$/u.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constant(SECRET), fc.constant(`${SECRET}\n    at ${SECRET}`), texts),
        async (text) => {
          const error = await failureOf(() => fail(text));
          const log = await logged((log) => {
            if (error instanceof Error) log.error(error);
            log.child({ child: 1 }).warn({ err: error }, "with a child logger");
            log.fatal({ err: error }, error instanceof Error ? error.message : "");
            log.trace({ err: error });
          });
          expect(log).not.toContain(text);
          expect(log).not.toContain(JSON.stringify(text).slice(1, -1));
          expect(log).not.toContain(SECRET);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("and keeps what helps: the code, the names, the statement, the place and the message of an error of ours", async () => {
    const error = await failureOf(() => failures["a statement with its parameters"]?.(SECRET));
    expect(writtenError(error)).toMatchObject({
      type: "Error",
      message: "it failed",
      stack: expect.stringMatching(/^Error: it failed\n {4}at .*log-errors\.test\.ts/),
      cause: {
        statement: "insert into messages values ($1)",
        cause: { code: "22P02", severity: "ERROR", table: "messages", message: "PostgreSQL 22P02" },
      },
    });
    expect(
      writtenError(Object.assign(new Error("connect ECONNREFUSED ::1:5432"), { code: "ECONNREFUSED" })),
    ).toMatchObject({
      code: "ECONNREFUSED",
      message: "connect ECONNREFUSED ::1:5432",
    });
  });
});

describeStorage("what storage refuses", (storage) => {
  test("is logged without the text, whatever the statement", async () => {
    const { store } = storage();
    const [alice] = await introduce(store, "alice");
    const group = await openGroup(store, alice);
    await query(storage(), sql`alter table messages add constraint no_secrets check (position('secret' in text) = 0)`);
    const sent = await failureOf(() => store.send([draft(alice, group, { text: SECRET })]));
    const put = await failureOf(() => store.putUser({ ...alice, name: `${SECRET}\0` }));
    const log = await logged((log) => [sent, put].map((err) => log.error({ err }, "a request failed")));
    expect(log).toContain("no_secrets");
    expect(log).not.toContain(SECRET);
    expect(log).not.toContain(alice.username);
  });
});
