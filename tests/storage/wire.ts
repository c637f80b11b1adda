import { connect, createServer, type Socket } from "node:net";

/** The network between a node and PostgreSQL: it counts the statements that go by, and a test can take it away. */
export interface Wire {
  /** Of the database, through this wire. */
  readonly url: string;
  /** The statements that were executed since the last call, in order. */
  statements(): string[];
  /** Cuts every connection. New ones work. */
  cut(): void;
  /**
   * The next statement of that text reaches the server; of its answer there arrive so many bytes (default: none), then
   * the connection is cut.
   */
  loseAnswerTo(text: string, bytes?: number): void;
  /** The connections that are open now stay open, and nothing goes through them any more, ever; new ones work. */
  freeze(): void;
  close(): Promise<void>;
}

/** Of the frontend's messages. Source: PostgreSQL manual, "Message Formats". */
const PARSE = "P".charCodeAt(0);
const BIND = "B".charCodeAt(0);
const EXECUTE = "E".charCodeAt(0);
const QUERY = "Q".charCodeAt(0);

export async function startWire(databaseUrl: string): Promise<Wire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let executed: string[] = [];
  let doomed: { readonly text: string; readonly bytes: number } | null = null;
  let frozen: ReadonlySet<Socket> = new Set();

  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname);
    const prepared = new Map<string, string>();
    let bound = "";
    /** Bytes that still arrive. */
    let rest = Number.POSITIVE_INFINITY;
    const execute = (statement: string) => {
      executed.push(statement);
      if (doomed !== null && statement.includes(doomed.text)) {
        rest = doomed.bytes;
        doomed = null;
      }
    };
    const read = messagesOf((type, body) => {
      if (type === QUERY) execute(textAt(body, 0));
      if (type === EXECUTE) execute(prepared.get(bound) ?? "");
      if (type === PARSE) prepared.set(textAt(body, 0), textAt(body, textAt(body, 0).length + 1));
      if (type === BIND) bound = textAt(body, textAt(body, 0).length + 1);
    });
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // A cut is all that an error can be here: the other half goes too.
      socket
        .on("error", () => peer.destroy())
        .once("close", () => {
          sockets.delete(socket);
          peer.destroy();
        });
    }
    near.on("data", (chunk) => {
      read(chunk);
      if (!frozen.has(near)) far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (frozen.has(near)) return;
      // The answer comes after the commit: the server has done what was asked.
      if (chunk.length > rest) near.end(chunk.subarray(0, rest));
      else near.write(chunk);
      rest -= chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = `${address.port}`;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };

  return {
    url: url.href,
    statements: () => {
      const since = executed;
      executed = [];
      return since;
    },
    cut,
    loseAnswerTo: (text, bytes = 0) => {
      doomed = { text, bytes };
    },
    freeze: () => {
      frozen = new Set(sockets);
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Takes the stream apart: a byte for the type, four for the length with themselves, the body. The first has no type. */
function messagesOf(take: (type: number, body: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const header = isStarted ? 1 : 0;
      if (rest.length < header + 4) return;
      const end = header + rest.readInt32BE(header);
      if (rest.length < end) return;
      if (isStarted) take(rest[0] ?? 0, rest.subarray(header + 4, end));
      isStarted = true;
      rest = rest.subarray(end);
    }
  };
}

/** The text that begins there and ends with NUL. */
function textAt(body: Buffer, start: number): string {
  return body.toString("latin1", start, body.indexOf(0, start));
}
