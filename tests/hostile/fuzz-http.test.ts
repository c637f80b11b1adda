/** HTTP requests made up at random: every route of the OpenAPI document with values of every kind, and what is no route. */
import { Agent } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { errorBody, errorCatalogue } from "../../server/protocol/errors.ts";
import { describeOnBoth, type Stack, tokenFor } from "../support/stack.ts";
import { Company, NO_LIMITS, SPEAKERS, type SpeakerName } from "./company.ts";
import { FUZZ_TIMEOUT, fuzz, title } from "./fuzz.ts";
import { type Answer, ask, type OpenApi, type RequestCase, requestCases } from "./http-requests.ts";
import { expectOnlyValid, type Told } from "./stored.ts";
import { watchForHarm } from "./unharmed.ts";

/** Signed by somebody else. */
const FOREIGN_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmVkIGJ5IHNvbWVib2R5IGVsc2UsIG9yIHNvIGl0IHNlZW1zLi4";

describeOnBoth(
  "HTTP requests of every kind",
  { settings: { ...NO_LIMITS, API_KEY: "the-key-of-the-back-end" } },
  (stack) => {
    test(
      title("http", "are answered with a code of the catalogue, store nothing invalid, and harm nothing"),
      async () => {
        const expectNoHarm = watchForHarm(stack());
        const company = await Company.gather(stack());
        const watch = await company.watch();
        const agent = new Agent({ keepAlive: true, maxSockets: 8 });
        onTestFinished(() => agent.destroy());
        const document: OpenApi = (await stack().request(null, "GET", "/docs/openapi.json")).body;
        const told = { stored: new Set<string>(), refused: new Set<string>() };

        await fuzz("http", requestCases(document), async (cases) => {
          await company.regroup();
          await Promise.all(
            cases.map((each, index) =>
              tryOne(stack(), company, each, SPEAKERS[index % SPEAKERS.length] ?? "ann", agent, told),
            ),
          );
          await watch.expectNothing();
          expectNoHarm();
        });
        expect(told.stored.size).toBeGreaterThan(0);
        expect(told.refused.size).toBeGreaterThan(0);
        await expectOnlyValid(stack(), company, told satisfies Told);
      },
      FUZZ_TIMEOUT,
    );
  },
);

async function tryOne(
  stack: Stack,
  company: Company,
  { method, path, headers, body, credential }: RequestCase,
  name: SpeakerName,
  agent: Agent,
  told: { stored: Set<string>; refused: Set<string> },
): Promise<void> {
  const unique = company.unique(name);
  const fill = (text: string) => company.fill(text, name, unique);
  const authorization = await authorizationOf(credential, name);
  const request: RequestCase = {
    method,
    path: fill(path),
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, fill(value)])),
      ...(authorization !== null && { authorization }),
    },
    body: body === null ? null : fill(body),
    credential,
  };
  try {
    const answer = await ask(stack.nodes[0]?.http ?? "", request, agent);
    judge(request, answer);
    const isAbout = request.body?.includes(`"client_id":"${unique}"`) === true;
    if (isAbout && method === "POST" && path.includes("/messages")) {
      (answer.status < 300 ? told.stored : told.refused).add(unique);
    }
  } catch (error) {
    throw new Error(`${name} asked ${JSON.stringify(request).slice(0, 2_000)}`, { cause: error });
  }
}

function judge({ method, path, credential }: RequestCase, { status, type, text }: Answer): void {
  expect(status, text).toBeLessThan(500);
  if (status < 300) {
    const isGuarded = path.startsWith("/api/") && !path.startsWith("/api/dev/");
    expect(isGuarded && credential !== "token", "it was answered without a token").toBe(false);
    return;
  }
  if (method === "HEAD") return;
  expect(type).toBe("application/json; charset=utf-8");
  const { error } = errorBody.parse(JSON.parse(text));
  const expected = status === 426 ? 400 : status;
  expect({ code: error.code, status: errorCatalogue[error.code].status as number }).toEqual({
    code: error.code,
    status: expected,
  });
}

async function authorizationOf(credential: RequestCase["credential"], name: SpeakerName): Promise<string | null> {
  switch (credential) {
    case "token":
      return `Bearer ${await tokenFor(name)}`;
    case "foreign":
      return `Bearer ${FOREIGN_TOKEN}`;
    case "broken":
      return `Bearer ${(await tokenFor(name)).slice(0, -2)}`;
    case "none":
      return null;
  }
}
