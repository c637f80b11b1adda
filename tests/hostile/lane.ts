/** One socket of a speaker's on one path: says one frame after another and judges what comes back. */
import type { Communicator, Frame } from "../support/communicator.ts";
import type { Stack } from "../support/stack.ts";
import type { Company, SpeakerName } from "./company.ts";
import type { FrameCase } from "./frames.ts";
import { isRecord, objectionTo, type Path, SCHEMAS, type Verdict, verdictOn } from "./paths.ts";

/** What a frame may be refused with where storage answers and nothing is wrong with the server. */
const ANSWERS: ReadonlySet<unknown> = new Set([
  "invalid_json",
  "invalid_frame",
  "unknown_type",
  "forbidden",
  "not_found",
  "conflict",
]);

const BAD: ReadonlySet<unknown> = new Set(["invalid_json", "invalid_frame", "unknown_type"]);

/** A socket is left before [ERROR-6] closes it: 20 bad frames within 10 s. */
const BAD_FRAMES = 17;

const CHANNEL_COMMANDS = ["chat_message", "read_messages", "edit_message", "delete_message", "pin_message"];

export interface LaneOptions {
  readonly stack: Stack;
  readonly company: Company;
  readonly path: Path;
  readonly name: SpeakerName;
  readonly url: string;
  readonly node: number;
  readonly maxBytes: number;
}

export class Lane {
  /** The client ids of sends, by what the sender was told. */
  readonly stored = new Set<string>();
  readonly refused = new Set<string>();
  readonly #options: LaneOptions;
  #socket: Communicator | null = null;
  #badFrames = 0;
  #fences = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** @throws when the answer is not what docs/protocol.md says; the error's message has the frame. */
  async say({ sent, isStrange }: FrameCase): Promise<void> {
    const { company, name, path, maxBytes } = this.#options;
    const unique = company.unique(name);
    const said = sent.kind === "text" ? company.fill(sent.text, name, unique) : sent.bytes;
    try {
      const socket = await this.#opened();
      socket.socket.send(said);
      if (Buffer.byteLength(said) > maxBytes) await this.#expectTooLarge(socket);
      else await this.#judge(socket, said, unique, isStrange);
      if (this.#badFrames >= BAD_FRAMES) await this.#leave(socket);
    } catch (error) {
      const shown = typeof said === "string" ? JSON.stringify(said.slice(0, 2_000)) : Buffer.from(said).toString("hex");
      throw new Error(`${name} said on ${path}: ${shown}`, { cause: error });
    }
  }

  async #opened(): Promise<Communicator> {
    const { stack, name, url, node } = this.#options;
    if (this.#socket !== null) return this.#socket;
    this.#socket = await stack.connect(name, url, { node });
    this.#badFrames = 0;
    return this.#socket;
  }

  async #leave(socket: Communicator): Promise<void> {
    this.#socket = null;
    await socket.close();
  }

  async #expectTooLarge(socket: Communicator): Promise<void> {
    this.#socket = null;
    const { code } = await socket.closed;
    if (code !== 1009) throw new Error(`a frame that is too large closed the socket with ${code}`);
  }

  async #judge(socket: Communicator, said: string | Uint8Array, unique: string, isStrange: boolean): Promise<void> {
    const { path } = this.#options;
    const verdict: Verdict =
      typeof said === "string" ? verdictOn(path, said) : { kind: "refused", code: "invalid_frame" };
    const frame: unknown = typeof said === "string" && verdict.kind === "taken" ? JSON.parse(said) : parsed(said);
    const owed = verdict.kind === "taken" ? this.#owedAnswer(frame) : undefined;
    const frames = await this.#receiveUntilFence(socket, owed, isPing(path, frame, verdict));
    const refusals = frames.map(refusalIn).filter((each) => each !== null);
    const refusal = refusals.find(({ code }) => BAD.has(code));

    if (isStrange && refusal === undefined) throw new Error("a field that no frame has was taken");
    if (verdict.kind === "refused") {
      if (refusal?.code !== verdict.code) throw new Error(`expected ${verdict.code}, received ${show(frames)}`);
      const id = this.#idOf(frame);
      if (id !== undefined && refusal.id !== id) throw new Error(`the refusal does not say of what: ${show(frames)}`);
      this.refused.add(unique);
    } else if (refusal !== undefined && refusal.code !== "invalid_frame") {
      throw new Error(`a frame of the right form was refused: ${show(frames)}`);
    } else if (frames.some((each) => isReceipt(each, unique))) {
      this.stored.add(unique);
    } else if (refusals.some(({ id }) => id === unique)) {
      this.refused.add(unique);
    }
  }

  /** The id that the answer to a frame of the right form has to carry; undefined: there may be no answer. */
  #owedAnswer(frame: unknown): unknown {
    if (!isRecord(frame)) return undefined;
    if (SCHEMAS[this.#options.path].client.dialect === "events") return frame.id;
    const { type, client_id: clientId } = frame;
    return CHANNEL_COMMANDS.includes(String(type)) && typeof clientId === "string" && clientId !== ""
      ? clientId
      : undefined;
  }

  /** The id that a refusal has to carry, where the frame had one that is of the right form. */
  #idOf(frame: unknown): unknown {
    if (!isRecord(frame)) return undefined;
    const isEvents = SCHEMAS[this.#options.path].client.dialect === "events";
    if (!isEvents && typeof frame.type !== "string") return undefined;
    const id = isEvents ? frame.id : frame.client_id;
    if (typeof id === "number" && isEvents && Number.isFinite(id)) return id;
    return typeof id === "string" && /^[a-z]+\.\d+$/.test(id) ? id : undefined;
  }

  /** All that comes until what was said is settled: its answer, where one is owed, and that of a question behind it. */
  async #receiveUntilFence(socket: Communicator, owed: unknown, isPinged: boolean): Promise<Frame[]> {
    const { name, path } = this.#options;
    const isEvents = SCHEMAS[path].client.dialect === "events";
    this.#fences += 1;
    const fence = `fence-${this.#fences}`;
    socket.send(isEvents ? { event: "ping", data: {}, id: fence } : { type: "ping" });
    let fences = !isEvents && isPinged ? 2 : 1;
    let isOwed = owed !== undefined;
    const frames: Frame[] = [];
    while (fences > 0 || isOwed) {
      const frame = await socket.receive().catch((error: unknown) => {
        throw new Error(`no answer behind ${show(frames)}`, { cause: error });
      });
      this.#check(frame);
      if (isEvents ? frame.event === "ack" && frame.id === fence : frame.type === "pong") fences -= 1;
      else frames.push(frame);
      if (isOwed && isAnswer(frame, owed, name)) isOwed = false;
    }
    return frames;
  }

  #check(frame: Frame): void {
    const { path, name, company } = this.#options;
    const objection = objectionTo(path, name, frame);
    if (objection !== undefined)
      throw new Error(`not a frame of the path's: ${show([frame])} ${JSON.stringify(objection)}`);
    const refusal = refusalIn(frame);
    if (refusal !== null && !ANSWERS.has(refusal.code))
      throw new Error(`an answer that was not to come: ${show([frame])}`);
    if (refusal !== null && BAD.has(refusal.code)) this.#badFrames += 1;
    if (frame.type === "chat_message" && path === "room") company.heard(frame.id, null, frame.from_user.username);
    if (frame.event === "chat:message_receive") company.heard(frame.data.id, frame.data.chatId, frame.data.sender.id);
  }
}

interface Refused {
  readonly code: string;
  readonly id: unknown;
}

function refusalIn(frame: Frame): Refused | null {
  if (frame.type === "error") return { code: frame.code, id: frame.client_id };
  return frame.event === "error" ? { code: frame.data.code, id: frame.id } : null;
}

function isAnswer(frame: Frame, owed: unknown, name: SpeakerName): boolean {
  if (frame.type === undefined) return (frame.event === "ack" || frame.event === "error") && frame.id === owed;
  if (frame.client_id !== owed) return false;
  return frame.type !== "chat_message" || frame.from_user.username === name;
}

/** The answer to a send that says that it was stored under this client id. */
function isReceipt(frame: Frame, unique: string): boolean {
  if (frame.type !== undefined) return frame.type === "chat_message" && frame.client_id === unique;
  const { data } = frame;
  return frame.event === "ack" && isRecord(data) && "seq" in data && [data.clientId, data.client_id].includes(unique);
}

function isPing(path: Path, frame: unknown, verdict: Verdict): boolean {
  return (
    verdict.kind === "taken" && SCHEMAS[path].client.dialect === "channels" && isRecord(frame) && frame.type === "ping"
  );
}

function parsed(said: string | Uint8Array): unknown {
  if (typeof said !== "string") return undefined;
  try {
    return JSON.parse(said);
  } catch {
    // Not JSON: it has no fields.
    return undefined;
  }
}

function show(frames: readonly Frame[]): string {
  return JSON.stringify(frames).slice(0, 2_000);
}
