/** The peers that speak the channels dialect: the same promises for each, whatever it stores in. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { notificationsServerFrame, roomServerFrame } from "../../../server/protocol/channels.ts";
import { Communicator, type Frame, HandshakeRefused } from "../../support/communicator.ts";
import { postgresUrl, servicesMissing } from "../../support/services.ts";
import { tokenFor } from "../../support/stack.ts";
import { endPeersAfterEach, type PeerName, type PeerProcess, startPeer } from "./peer-process.ts";
import { type PeerStorage, pgliteStorage, postgresStorage, type StoredMessage } from "./storage.ts";

/** Ms; a process takes one or two seconds to start, more on a loaded machine. */
const DEADLINE = 60_000;

interface Contender {
  readonly name: PeerName;
  readonly openStorage: (() => Promise<PeerStorage>) | null;
  /** Why it cannot be tested here; "" when it can. */
  readonly obstacle: string;
}

const CONTENDERS: readonly Contender[] = [
  { name: "ws-bare", openStorage: null, obstacle: "" },
  { name: "ws-insert", openStorage: postgresStorage, obstacle: postgresUrl === undefined ? servicesMissing : "" },
  { name: "pglite-insert", openStorage: pgliteStorage, obstacle: "" },
];

for (const { name, openStorage, obstacle } of CONTENDERS) {
  describe.skipIf(obstacle !== "")(`${name}${obstacle && ` (${obstacle})`}`, { timeout: DEADLINE }, () => {
    let storage: PeerStorage | undefined;
    let peer: PeerProcess;
    beforeEach(async () => {
      storage = await openStorage?.();
      peer = await startPeer(name, storage?.settings);
    }, DEADLINE);
    // Registered before the end of the processes, hence run after it.
    afterEach(() => storage?.clear());
    endPeersAfterEach();

    async function connect(username: string, path: string): Promise<Communicator> {
      return Communicator.connect(`${peer.sockets}${path}`, await tokenFor(username));
    }

    /** A room's socket, with its first frame received. */
    async function open(username: string, room: string): Promise<Communicator> {
      const socket = (await connect(username, `/ws/${room}/`)).expectFrames(roomServerFrame);
      expect(await socket.receive()).toMatchObject({ type: "resumed" });
      return socket;
    }

    async function openBadge(username: string): Promise<Communicator> {
      return (await connect(username, "/ws/notifications/")).expectFrames(notificationsServerFrame);
    }

    async function request(username: string | null, method: string, path: string, body?: unknown): Promise<Response> {
      return fetch(`${peer.http}${path}`, {
        method,
        headers: username === null ? {} : { authorization: `Bearer ${await tokenFor(username)}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    }

    async function createGroup(creator: string, id: string, members: string[]): Promise<void> {
      const response = await request(creator, "POST", "/api/conversations", { type: "group", id, name: "g", members });
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({ id });
    }

    /** Without waiting for an answer. */
    function say(socket: Communicator, count: number, from: string): void {
      for (let number = 1; number <= count; number += 1) {
        socket.send({ type: "chat_message", message: `${from} ${number}`, client_id: `${from}-${number}` });
      }
    }

    /** After the peer has ended in order: what it stored is what it said, if it stores at all. */
    async function expectStored(room: string, frames: readonly Frame[]): Promise<void> {
      expect(peer.errors).toEqual([]);
      expect(await peer.end("SIGTERM")).toEqual({ code: 0, signal: null });
      if (storage !== undefined) expect(await storage.messages()).toEqual(frames.map((frame) => stored(room, frame)));
    }

    test("a message reaches both sides of a direct conversation, and its badge alone", async () => {
      const [alice, bob] = [await open("alice", "bob"), await open("bob", "alice")];
      const [aliceBadge, bobBadge] = [await openBadge("alice"), await openBadge("bob")];
      for (const badge of [aliceBadge, bobBadge]) {
        expect(await badge.receive()).toEqual({ type: "unread_count", unread_count: 0 });
      }

      alice.send({ type: "chat_message", message: 'Grüße, "Bob" 🌍', client_id: "a1" });
      const echo = await alice.receive();
      expect(echo).toEqual({
        type: "chat_message",
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        seq: 1,
        message: 'Grüße, "Bob" 🌍',
        multimedia_url: null,
        date_added: expect.any(String),
        from_user: { username: "alice" },
        room: "bob",
        client_id: "a1",
      });
      expect(await bob.receive()).toEqual(echo);
      expect(await bobBadge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });

      bob.send({ type: "chat_message", message: "and to you" });
      const answer = await bob.receive();
      expect(answer).toMatchObject({ seq: 2, from_user: { username: "bob" } });
      expect(answer).not.toHaveProperty("client_id");
      expect(await alice.receive()).toEqual(answer);
      // Alice's first news is Bob's message: her own was none.
      expect(await aliceBadge.receive()).toEqual({ type: "new_message_notification", unread_count: 1 });
      await expectStored("alice bob", [echo, answer]);
    });

    test("all in a group see everything in one order, and each sender's messages in the order sent", async () => {
      const names = ["alice", "bob", "carol", "dave"];
      await createGroup("alice", "team", names.slice(1));
      const sockets: Communicator[] = [];
      for (const username of names) sockets.push(await open(username, "team"));
      const count = 50;
      sockets.forEach((socket, index) => {
        say(socket, count, names[index] ?? "");
      });

      const seen = await Promise.all(sockets.map((socket) => socket.receiveMany(names.length * count)));
      const first = seen[0] ?? [];
      expect(first.map((frame) => frame.seq)).toEqual(first.map((_, index) => index + 1));
      for (const others of seen.slice(1)) expect(others).toEqual(first);
      for (const username of names) {
        const said = first.filter((frame) => frame.from_user.username === username).map((frame) => frame.client_id);
        expect(said).toEqual(Array.from({ length: count }, (_, index) => `${username}-${index + 1}`));
      }
      await expectStored("team", first);
    });

    test("badges count the messages of others in all rooms, whenever they are opened", async () => {
      await createGroup("alice", "team", ["bob", "carol"]);
      const [group, direct] = [await open("alice", "team"), await open("alice", "bob")];
      const bobBadge = await openBadge("bob");
      say(group, 3, "alice");
      await group.receiveMany(3);
      say(direct, 2, "alice");
      await direct.receiveMany(2);

      const counts = (await bobBadge.receiveMany(6)).map((frame) => [frame.type, frame.unread_count]);
      expect(counts).toEqual([
        ["unread_count", 0],
        ...[1, 2, 3, 4, 5].map((unread) => ["new_message_notification", unread]),
      ]);
      expect(await (await openBadge("bob")).receive()).toEqual({ type: "unread_count", unread_count: 5 });
      expect(await (await openBadge("carol")).receive()).toEqual({ type: "unread_count", unread_count: 3 });
      expect(await (await openBadge("alice")).receive()).toEqual({ type: "unread_count", unread_count: 0 });
    });

    test("what was echoed is stored, even when the peer is killed", async () => {
      const alice = await open("alice", "bob");
      say(alice, 20, "alice");
      const echoes = await alice.receiveMany(20);
      expect(await peer.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
      if (storage === undefined) return;
      expect(await storage.messages()).toEqual(echoes.map((echo) => stored("alice bob", echo)));
    });

    test("who is not known, or not a member, does not get in; who says nonsense is told so", async () => {
      await createGroup("alice", "team", ["bob"]);
      const refused = async (username: string, path: string) => {
        const error: unknown = await connect(username, path).catch((reason) => reason);
        return error instanceof HandshakeRefused ? error.status : error;
      };
      expect(await refused("carol", "/ws/team/")).toBe(404);
      expect(await refused("carol", "/elsewhere/")).toBe(404);
      expect(await refused("carol", "/ws/%/")).toBe(404);
      await expect(Communicator.connect(`${peer.sockets}/ws/bob/`, null)).rejects.toMatchObject({ status: 401 });
      await expect(Communicator.connect(`${peer.sockets}/ws/bob/`, "forged")).rejects.toMatchObject({ status: 401 });
      expect((await request("alice", "GET", "/api/me")).status).toBe(200);
      expect((await request("alice", "GET", "/api/elsewhere")).status).toBe(404);
      expect((await request(null, "GET", "/api/me")).status).toBe(401);

      const alice = await open("alice", "team");
      for (const nonsense of ["{", "null", '{"type":"chat_message","message":1}', '{"type":"typing"}']) {
        alice.send(nonsense);
        expect(await alice.receive()).toMatchObject({ type: "error", code: "invalid_frame" });
      }
      say(alice, 1, "alice");
      expect(await alice.receive()).toMatchObject({ type: "chat_message", seq: 1 });
    });
  });
}

/** The row of a frame. */
function stored(room: string, { id, seq, from_user, message, date_added }: Frame): StoredMessage {
  return { id, room, seq, sender: from_user.username, text: message, createdAt: date_added };
}
