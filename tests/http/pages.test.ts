/** Pages end where their bytes do. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { MessageBody } from "../../server/protocol/http.ts";
import { MAX_PAGE_BYTES, openCompany, type Person, signToken } from "./server.ts";

let company: Awaited<ReturnType<typeof openCompany>>;
beforeAll(async () => {
  company = await openCompany("carol");
});
afterAll(() => company?.close());

/** One message at most is beyond the bound; names and places around the items are small. */
const MOST = MAX_PAGE_BYTES + 10_000;

const kinds: readonly [string, () => object][] = [
  ["text that JSON escapes", () => ({ message: "\u0001".repeat(100), attachments: [{ note: "\u0002".repeat(500) }] })],
  ["objects", () => ({ attachments: [{ note: "x".repeat(3_500) }] })],
  ["numbers", () => ({ attachments: [{ numbers: JSON.parse(`[${Array(500).fill("1e308").join(",")}]`) }] })],
];

async function fill(sender: Person, room: string, content: () => object, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const { body, status } = await sender.post(`/api/rooms/${room}/messages`, content());
    expect(status).toBe(201);
    ids.push(body.id);
  }
  return ids;
}

/** All pages from here on, each no larger than the bound. */
async function walk(reader: Person, path: string, direction: "next" | "previous"): Promise<MessageBody[][]> {
  const pages: MessageBody[][] = [];
  for (let link: string | null = path; link !== null; ) {
    const { body, text } = await reader.get(link);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST);
    pages.push(body.messages);
    link = body[direction];
  }
  return pages;
}

describe.each(kinds)("%s", (_kind, content) => {
  test("[PAGE-1] history in both directions has every message once, and no page is larger than the bound", async () => {
    const { alice } = company;
    const { body: group } = await alice.post("/api/conversations", { type: "group", name: "large" });
    const ids = await fill(alice, group.id, content, 45);
    const downwards = await walk(alice, `/api/rooms/${group.id}/messages?limit=200`, "next");
    expect(downwards.length).toBeGreaterThan(1);
    expect(downwards.flat().map(({ id }) => id)).toEqual(ids.toReversed());
    const upwards = await walk(alice, `/api/rooms/${group.id}/messages?limit=200&after=0`, "previous");
    expect(upwards.flatMap((page) => page.toReversed()).map(({ id }) => id)).toEqual(ids);
    expect(upwards.length).toBe(downwards.length);
  });

  test("[PAGE-1] pinned messages and the list of conversations, too", async () => {
    const { bob } = company;
    const groups: string[] = [];
    for (let made = 0; made < 25; made += 1) {
      const { body } = await bob.post("/api/conversations", { type: "group", name: `${made}` });
      groups.push(body.id);
      await fill(bob, body.id, content, 1);
    }
    const listed: string[] = [];
    let pages = 0;
    for (let link: string | null = "/api/conversations?limit=100"; link !== null; pages += 1) {
      const { body, text } = await bob.get(link);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST);
      listed.push(...body.results.map(({ id }) => id));
      link = body.next;
    }
    expect(pages).toBeGreaterThan(1);
    expect(listed.slice(0, 25)).toEqual(groups.toReversed());
    expect(new Set(listed).size).toBe(listed.length);
  });
});

test("[MSG-9] what is echoed is what history says later, number by number", async () => {
  const { alice } = company;
  const { body: group } = await alice.post("/api/conversations", { type: "group", name: "numbers" });
  const said = '{"n":[1e308,1e-300,-0,1e21,1e20,0.1],"z":{"b":1,"a":2},"a":"1e308"}';
  const { body: echo } = await alice.post(`/api/rooms/${group.id}/messages`, { attachments: [JSON.parse(said)] });
  const { text } = await alice.get(`/api/rooms/${group.id}/messages`);
  const stored = '{"n":[1e+308,1e-300,0,1e+21,100000000000000000000,0.1],"z":{"b":1,"a":2},"a":"1e308"}';
  expect(JSON.stringify(echo.attachments[0])).toBe(stored);
  expect(text).toContain(stored);
});

test("[PAGE-4] requests whose answers nobody reads are a few answers, and end with their connections", async () => {
  const { alice, bob, server, storage } = company;
  const { body: group } = await alice.post("/api/conversations", { type: "group", name: "unread" });
  await fill(alice, group.id, () => ({ attachments: [{ note: "x".repeat(3_500) }] }), 20);
  await server.listen({ port: 0, host: "127.0.0.1" });
  const { port } = server.server.address() as { port: number };
  const token = await signToken({ sub: alice.id, username: "alice", name: "Alice" });
  const request = `GET /api/rooms/${group.id}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
  const { largeReads } = storage.services;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  // Answers behind one that is not taken, on one connection each, fill what the kernel holds and are held then.
  for (let opened = 0; opened < 6; opened += 1) {
    const socket = connect(port, "127.0.0.1").pause();
    await once(socket, "connect");
    socket.on("error", () => {});
    socket.write(request.repeat(80));
    sockets.push(socket);
  }
  await vi.waitFor(() => expect(largeReads.counts).toMatchObject({ underWay: 4 }), { timeout: 20_000 });
  expect(largeReads.counts.bytes).toBeLessThanOrEqual(5 * MAX_PAGE_BYTES);
  expect((await bob.get("/api/me")).status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(() => expect(largeReads.counts).toEqual({ underWay: 0, waiting: 0, bytes: 0 }), { timeout: 20_000 });
  expect((await alice.get(`/api/rooms/${group.id}/messages`)).status).toBe(200);
}, 60_000);
