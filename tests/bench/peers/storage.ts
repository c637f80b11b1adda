/** What a peer stores in, and what is in there. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Client } from "pg";
import { freshDatabase } from "../../support/services.ts";

export interface StoredMessage {
  readonly id: string;
  readonly room: string;
  readonly seq: number;
  readonly sender: string;
  readonly text: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly createdAt: string;
}

export interface PeerStorage {
  /** For the peer's environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** In the order of rooms and their numbers. Of PGlite, which is its process's alone: after the peer has ended. */
  messages(): Promise<StoredMessage[]>;
  clear(): Promise<void>;
}

const SELECT = 'select id, room, seq, sender, text, created_at from messages order by room collate "C", seq';

interface Row {
  readonly id: string;
  readonly room: string;
  readonly seq: string | number;
  readonly sender: string;
  readonly text: string;
  readonly created_at: Date;
}

function storedMessage({ id, room, seq, sender, text, created_at }: Row): StoredMessage {
  return { id, room, seq: Number(seq), sender, text, createdAt: created_at.toISOString() };
}

export async function postgresStorage(): Promise<PeerStorage & { readonly url: string }> {
  const { url, drop } = await freshDatabase();
  return {
    url,
    settings: { DATABASE_URL: url },
    messages: async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query<Row>(SELECT)).rows.map(storedMessage);
      } finally {
        await client.end();
      }
    },
    clear: drop,
  };
}

export async function pgliteStorage(): Promise<PeerStorage> {
  const folder = await mkdtemp(join(tmpdir(), "parley-test-peer-"));
  return {
    settings: { DATA_DIR: folder },
    messages: async () => {
      const pglite = new PGlite(join(folder, "pglite"));
      try {
        return (await pglite.query<Row>(SELECT)).rows.map(storedMessage);
      } finally {
        await pglite.close();
      }
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}
