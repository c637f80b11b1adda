/** Text, numbers and keys that JSON can say and a server had better look at twice: in all dialects and over HTTP. */
import { expect, it, test } from "vitest";
import { errorBody } from "../../server/protocol/errors.ts";
import { ask, openChat, openRooms } from "../dialects/sockets.ts";
import type { Communicator, Frame } from "../support/communicator.ts";
import { describeOnBoth, type Stack, tokenFor } from "../support/stack.ts";
import { NO_LIMITS } from "./company.ts";
import { SCRIPTS } from "./values.ts";

/** A way to send a message to oneself, and to hear what became of it. */
interface Way {
  readonly name: string;
  /** The path of the text's field in a refusal. */
  readonly field: string;
  open(stack: Stack, person: string): Promise<Line>;
}

interface Line {
  /** `fields` as JSON: the text of an object's members, after those of the message, each with a comma before it. */
  send(text: string, fields?: string): Promise<Outcome>;
  close(): Promise<unknown>;
}

type Outcome = { readonly stored: string } | { readonly code: string; readonly message: string };

const json = JSON.stringify;

const channels: Way = {
  name: "/ws/<room>/",
  field: "message",
  open: async (stack, person) => {
    const socket = await stack.connect(person, `/ws/${person}/`);
    await socket.receiveMany(2);
    return lineOf(socket, (text, fields) => `{"type":"chat_message","message":${text}${fields}}`);
  },
};

const liveChat: Way = {
  name: "/chat",
  field: "data.content",
  open: async (stack, person) => {
    const socket = await openChat(stack, person);
    return lineOf(
      socket,
      (text, fields) =>
        `{"event":"chat:message_send","data":{"receiverId":${json(person)},"content":${text}${fields}}}`,
    );
  },
};

const rooms: Way = {
  name: "/rooms",
  field: "data.message",
  open: async (stack, person) => {
    const socket = await openRooms(stack, person);
    await ask(socket, "connectRooms", {});
    const { body } = await stack.request(person, "POST", `/api/rooms/${person}/messages`, { message: "first" });
    await socket.receive();
    return lineOf(
      socket,
      (text, fields) =>
        `{"event":"sendMessage","data":{"room_id":${json(body.conversation_id)},"message":${text}${fields}}}`,
    );
  },
};

const http: Way = {
  name: "HTTP",
  field: "body.message",
  open: async (stack, person) => ({
    send: async (text, fields = "") => {
      const response = await fetch(`${stack.nodes[0]?.http}/api/rooms/${person}/messages`, {
        method: "POST",
        headers: { authorization: `Bearer ${await tokenFor(person)}`, "content-type": "application/json" },
        body: `{"message":${text}${fields}}`,
      });
      const body: Frame = await response.json();
      return response.ok ? { stored: body.content } : errorBody.parse(body).error;
    },
    close: async () => {},
  }),
};

const WAYS = [channels, liveChat, rooms, http];

/** The next frame is the answer: nobody else is in the conversation. */
function lineOf(socket: Communicator, frame: (text: string, fields: string) => string): Line {
  return {
    send: async (text, fields = "") => {
      socket.send(frame(text, fields));
      const answer = await socket.receive();
      if (answer.type === "error") return { code: answer.code, message: answer.message };
      if (answer.event === "error") return { code: answer.data.code, message: answer.data.message };
      return { stored: answer.message ?? answer.data.message ?? answer.data.content };
    },
    close: () => socket.close(),
  };
}

let peopleSoFar = 0;

// Large enough for 100,000 brackets on either side, and for 10,001 emoji that are written out.
const settings = { ...NO_LIMITS, MAX_FRAME_BYTES: "1000000" };

describeOnBoth("text in every dialect", { settings }, (stack) => {
  const on = async (way: Way, then: (line: Line) => Promise<void>) => {
    peopleSoFar += 1;
    const person = `writer-${peopleSoFar}`;
    await stack().introduce(person);
    const line = await way.open(stack(), person);
    await then(line);
    // Whatever was refused: the line is as good as before, and nothing of it was stored.
    expect(await line.send(json("still here"))).toEqual({ stored: "still here" });
    const { body } = await stack().request(person, "GET", `/api/rooms/${person}/messages`);
    expect(body.messages[0].content).toBe("still here");
    for (const { content } of body.messages) expect(content.isWellFormed()).toBe(true);
    await line.close();
  };
  const expectRefusals = async (way: Way, texts: readonly string[], expected: string) =>
    on(way, async (line) => {
      const message = expect.stringMatching(new RegExp(`^${way.field}: ${expected}`));
      for (const text of texts) expect(await line.send(text)).toMatchObject({ code: "invalid_frame", message });
    });

  it.each(WAYS)("[MSG-1] $name: 10,000 emoji are a message, 10,001 are not", async (way) => {
    await on(way, async (line) => {
      expect(await line.send(json("😀".repeat(10_000)))).toEqual({ stored: "😀".repeat(10_000) });
      expect(await line.send(json("👍🏿".repeat(5_000)))).toEqual({ stored: "👍🏿".repeat(5_000) });
    });
    await expectRefusals(way, [json("😀".repeat(10_001))], "expected at most 10000 characters");
  });

  it.each(WAYS)("$name: NUL is invalid_frame, and the field is named", async (way) => {
    const texts = ["\u0000", "a\u0000b", "\u0000".repeat(100)].map((text) => json(text));
    await expectRefusals(way, texts, "must be well-formed Unicode without NUL");
  });

  it.each(WAYS)("$name: half a surrogate pair is invalid_frame, and never stored as something else", async (way) => {
    const texts = ['"\\ud83d"', '"a\\ude00b"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\uD83Dx\\uDE00"'];
    await expectRefusals(way, texts, "must be well-formed Unicode without NUL");
  });

  it.each(WAYS)("$name: a pair that is escaped is one character", async (way) => {
    await on(way, async (line) => expect(await line.send('"\\ud83d\\ude00"')).toEqual({ stored: "😀" }));
  });

  it.each(WAYS)("$name: every script comes back as it was sent", async (way) => {
    await on(way, async (line) => {
      for (const text of Object.values(SCRIPTS)) expect(await line.send(json(text))).toEqual({ stored: text });
    });
  });

  it.each(WAYS)("$name: a number of any size is no text", async (way) => {
    const numbers = ["1e400", "-1e400", "9007199254740993", `1${"0".repeat(1_000)}`];
    await expectRefusals(way, numbers, "Invalid input");
  });

  it.each(WAYS)("$name: JSON 100,000 levels deep is refused and costs nothing else", async (way) => {
    const deep = (open: string, close: string) => `${open.repeat(100_000)}0${close.repeat(100_000)}`;
    await expectRefusals(way, [deep("[", "]"), deep('{"a":', "}")], "Invalid input");
    await on(way, async (line) => {
      const refusal = await line.send('"x"', `,"attachments":[${deep('{"a":', "}")}]`);
      expect(refusal).toMatchObject({ code: "invalid_frame", message: expect.stringContaining("attachments.0: ") });
    });
  });

  it.each(WAYS)("$name: __proto__ is no field, and reaches no prototype", async (way) => {
    await on(way, async (line) => {
      for (const fields of ['"__proto__":{"polluted":true}', '"constructor":{"prototype":{"polluted":true}}']) {
        // Over HTTP the body is refused before it is an object.
        const code = way === http ? expect.stringMatching(/^invalid_(?:json|frame)$/) : "invalid_frame";
        expect(await line.send('"x"', `,${fields}`)).toMatchObject({ code });
      }
      expect({}).not.toHaveProperty("polluted");
    });
  });
});

describeOnBoth("numbers beyond what a number can say", { settings }, (stack) => {
  test.each(["1e400", "9007199254740993", "-1", "0.5", "1e3", "NaN"])(
    "[RESUME-4] since=%s on /ws/<room>/",
    async (since) => {
      const socket = await stack().connect("reader", `/ws/reader/?since=${since}`);
      expect((await socket.receive()).type).toBe("online_user_list");
      expect(await socket.receive()).toEqual({ type: "resume_failed", seq: 0 });
    },
  );

  test.each(["1e400", "9007199254740993", "-1", "0.5", '"1"', "null"])(
    "a since of %s on /chat and /rooms",
    async (since) => {
      const chat = await openChat(stack(), "reader", { since: `{"a":${since}}` });
      expect(await chat.receive()).toMatchObject({ event: "error", data: { code: "invalid_frame" } });
      const list = await openRooms(stack(), "reader");
      list.send(`{"event":"connectRooms","data":{"since":{"a":${since}}},"id":1}`);
      expect(await list.receive()).toMatchObject({ event: "error", id: 1, data: { code: "invalid_frame" } });
    },
  );

  test("the id of an event is a number that JSON can give back, or refused", async () => {
    const chat = await openChat(stack(), "counter");
    for (const id of ["9007199254740991", "-0.5", "1e308"]) {
      chat.send(`{"event":"user:get_status","data":{"userId":"counter"},"id":${id}}`);
      await chat.receive();
      expect(await chat.receive()).toMatchObject({ event: "ack", id: Number(id) });
    }
    chat.send('{"event":"user:get_status","data":{"userId":"counter"},"id":1e400}');
    const refusal = await chat.receive();
    expect(refusal).toMatchObject({ event: "error", data: { code: "invalid_frame" } });
    expect(refusal).not.toHaveProperty("id");
  });

  test.each([
    "before=1e400",
    "after=9007199254740993",
    "limit=1e400",
    "limit=9007199254740993",
    "before=-1",
    "limit=0x10",
  ])("a page of history with %s is invalid_frame", async (query) => {
    const { status, body } = await stack().request("reader", "GET", `/api/rooms/reader/messages?${query}`);
    expect({ status, code: body.error.code }).toEqual({ status: 400, code: "invalid_frame" });
  });
});

/** Text of any kind is given back as it is; in a name they would disturb what stands beside it. */
const DISTURBING = ["rightToLeftOverride", "isolates", "controls"] as const;

describeOnBoth("names in every script", { settings }, (stack) => {
  it.each(Object.entries(SCRIPTS).filter(([script]) => !DISTURBING.some((one) => one === script)))(
    "%s: a person's and a group's are given back as they were given, normalized",
    async (script, given) => {
      const person = `named-${script}`;
      const name = given.normalize("NFC");
      const token = await tokenFor(person, { name: given, given_name: given, family_name: given });
      const response = await fetch(`${stack().nodes[0]?.http}/api/me`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(await response.json()).toMatchObject({ name, first_name: name, last_name: name });
      const made = await stack().request(person, "POST", "/api/conversations", { type: "group", name: given });
      expect(made).toMatchObject({ status: 201, body: { name } });
      const read = await stack().request(person, "GET", `/api/conversations/${made.body.id}`);
      expect(read.body).toMatchObject({ name, members: [{ name, first_name: name, last_name: name }] });
      const socket = await openRooms(stack(), person);
      const { events } = await ask(socket, "connectRooms", {});
      expect(events).toMatchObject([{ event: "connectRooms", data: [{ room_name: name }] }]);
    },
  );

  it.each(DISTURBING)("%s: a group's is refused", async (script) => {
    const room_name = SCRIPTS[script];
    const socket = await openRooms(stack(), "founder");
    const { answer } = await ask(socket, "createGroup", { room_name, recipients: [] });
    expect(answer).toMatchObject({ event: "error", data: { code: "invalid_frame" } });
    const group = { type: "group", name: room_name };
    const { status, body } = await stack().request("founder", "POST", "/api/conversations", group);
    expect({ status, code: body.error.code }).toEqual({ status: 400, code: "invalid_frame" });
  });

  it.each(["a\u0000b", "\ud83d"])("a name that cannot be stored is refused: %j", async (name) => {
    const socket = await openRooms(stack(), "founder");
    const { answer } = await ask(socket, "createGroup", { room_name: name, recipients: [] });
    expect(answer).toMatchObject({
      event: "error",
      data: { code: "invalid_frame", message: expect.stringMatching(/^data.room_name: /) },
    });
    const { status, body } = await stack().request("founder", "POST", "/api/conversations", { type: "group", name });
    expect({ status, code: body.error.code }).toEqual({ status: 400, code: "invalid_frame" });
    expect(body.error.message).toMatch(/^body.name: /);
    const token = await tokenFor("nameless", { name });
    const response = await fetch(`${stack().nodes[0]?.http}/api/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(401);
    expect(errorBody.parse(await response.json()).error.message).toContain("name: ");
  });
});
