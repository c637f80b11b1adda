/**
 * What every consumer shares: it is made for one socket, opens while frames already wait in the socket's inbox, answers
 * bad ones, and gives back everything it acquired exactly once, however the socket ends.
 */
import { setTimeout as wait } from "node:timers/promises";
import { LayerUnavailable } from "../channel-layer/layer.ts";
import type { Core } from "../core/core.ts";
import { Refusal } from "../core/errors.ts";
import { type LargeRead, type LargeReads, TooManyLargeReads } from "../core/large-reads.ts";
import type { Profile } from "../core/model.ts";
import type { Outage } from "../core/outage.ts";
import { tooMany } from "../core/rate.ts";
import type { CloseName } from "../protocol/close-codes.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Connection } from "../transport/connection.ts";
import { encodeTextFrame } from "../transport/frame.ts";
import type { ConnectionHandler } from "../transport/handler.ts";
import type { Hub } from "../transport/hub.ts";
import type { LiveProfiles } from "../transport/live-profiles.ts";
import type { RoomPresences } from "../transport/presence.ts";
import type { SeenMarks } from "../transport/seen-marks.ts";
import type { SocketCounts } from "../transport/socket-counts.ts";
import type { UserFeeds } from "../transport/user-feeds.ts";
import { BadFrame } from "./bad-frame.ts";
import { costOf } from "./frame-costs.ts";
import type { RoomMembers } from "./room-members.ts";
import type { Statuses } from "./statuses.ts";
import { type WorkCounters, Workload } from "./workload.ts";

export interface ConsumerLog {
  debug(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the consumers of a server share. */
export interface ConsumerServices {
  readonly core: Core;
  readonly hub: Hub;
  readonly userFeeds: UserFeeds;
  readonly presences: RoomPresences;
  readonly socketCounts: SocketCounts;
  readonly seenMarks: SeenMarks;
  readonly roomMembers: RoomMembers;
  readonly statuses: Statuses;
  readonly work: WorkCounters;
  readonly profiles: LiveProfiles;
  /** While no socket can be opened, because the channel layer or storage does not answer. */
  readonly openings: Outage;
  readonly largeReads: LargeReads;
  readonly limits: {
    readonly maxMessageChars: number;
    readonly largeRoomMembers: number;
    readonly maxSinceConversations: number;
    readonly maxPageBytes: number;
    readonly maxBufferedBytes: number;
  };
  readonly log: ConsumerLog;
}

/** The socket that a consumer is for. */
export interface Handshake {
  /** As it is now: it changes while the socket is open. */
  readonly profile: Profile;
  /** The named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** As the client said it, unchecked: up to where it has everything; null: it said nothing. */
  readonly since: string | null;
}

/** An error as the dialects say it, each in its own frame. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfter?: number | undefined;
}

/** Too many of these close the socket. */
const BAD_FRAMES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["invalid_json", "invalid_frame", "unknown_type"]);

export abstract class Consumer implements ConnectionHandler {
  protected readonly services: ConsumerServices;
  protected readonly handshake: Handshake;
  readonly #workload: Workload;
  #connection: Connection | null = null;
  #releases: (() => void)[] | null = [];

  constructor(services: ConsumerServices, handshake: Handshake) {
    this.services = services;
    this.handshake = handshake;
    this.#workload = new Workload(services.core.commandRate, services.work, handshake.profile.id);
  }

  /** Acquires what the path needs and sends the first frames. A refusal here closes the socket. */
  protected abstract open(): Promise<void>;
  /** One frame, parsed as JSON. May throw a Refusal at once; a promise is waited for before the next frame. */
  protected abstract handle(frame: unknown): void | Promise<void>;
  protected abstract encodeFailure(failure: Failure, frame: unknown): object;
  /** How a frame, parsed as JSON, calls itself; null: it does not. */
  protected abstract nameOf(frame: unknown): string | null;

  protected get profile(): Profile {
    return this.handshake.profile;
  }

  /** The user's profile changed: `profile` is the new one. */
  protected renamed(): void {}

  protected get connection(): Connection {
    if (this.#connection === null) throw new Error("the consumer has no connection yet");
    return this.#connection;
  }

  /** Called once, right after the connection was made. */
  start(connection: Connection): void {
    this.#connection = connection;
    this.#open(connection).catch((error: unknown) => {
      const { name, reason } = closeFor(error);
      if (name === "internal") this.#logFault(error, "a socket could not be opened");
      else if (name === "unavailable") this.services.openings.fails({ err: error });
      connection.close(name, reason);
    });
  }

  receive(text: string): void | Promise<void> {
    const early = this.#workload.admit(text.length);
    if (early > 0) return this.#refuseEarly(early, text);
    const frame = parseJson(text);
    if (frame === undefined) {
      this.#refuse(new BadFrame("invalid_json", "expected a JSON object"), undefined);
      return;
    }
    this.#workload.charge(costOf(this.nameOf(frame) ?? ""));
    const handled = this.attempt(frame, () => this.handle(frame));
    const room = this.#workload.room();
    return room === null ? handled : Promise.all([handled, room]).then(() => {});
  }

  receiveBinary(): void | Promise<void> {
    const early = this.#workload.admit(0);
    if (early > 0) return this.#refuseEarly(early, null);
    this.#refuse(new BadFrame("invalid_frame", "expected a text frame"), undefined);
  }

  receiveControl(): number {
    return this.#workload.chargeControl();
  }

  closed(): void {
    const releases = this.#releases ?? [];
    this.#releases = null;
    for (const release of releases.reverse()) release();
  }

  /** What undoes an acquisition: run when the socket is gone, at once if it already is. */
  protected onClosed(release: () => void): void {
    if (this.#releases === null) release();
    else this.#releases.push(release);
  }

  protected get isClosed(): boolean {
    return this.#releases === null;
  }

  protected send(frame: object): void {
    this.connection.send(encodeTextFrame(JSON.stringify(frame)));
  }

  /** One frame of many, as the client takes them: resolves when there is room for the next; false: the socket closes. */
  protected sendInTurn(frame: object): Promise<boolean> {
    return this.connection.sendInTurn(encodeTextFrame(JSON.stringify(frame)));
  }

  /** A turn in the line for what is large, given back with the socket at the latest. @throws Refusal `rate_limited` */
  protected async takeLargeRead(): Promise<LargeRead> {
    const read = await this.services.largeReads.take(this.profile.id, () => this.connection.close("tooSlow"));
    this.onClosed(read.release);
    return read;
  }

  /** Runs what a frame asks for and answers its refusal, now or later. */
  protected attempt(frame: unknown, work: () => void | Promise<void>): void | Promise<void> {
    try {
      const done = work();
      if (done !== undefined) return this.#workload.track(done.catch((error: unknown) => this.#refuse(error, frame)));
    } catch (error) {
      this.#refuse(error, frame);
    }
  }

  protected fail(failure: Failure, frame: unknown): void {
    this.send(this.encodeFailure(failure, frame));
  }

  async #open(connection: Connection): Promise<void> {
    const { socketCounts, seenMarks, profiles, openings } = this.services;
    const { id: userId } = this.profile;
    this.onClosed(profiles.hold(this.profile, { renamed: () => this.renamed() }));
    this.onClosed(() => {
      socketCounts.leave(userId, connection.id);
      seenMarks.mark(userId);
    });
    if ((await socketCounts.enter(userId, connection.id)) === "too_many") {
      connection.close("tooManySockets");
      return;
    }
    if (this.isClosed) return;
    await this.open();
    openings.works();
    connection.opened();
  }

  /** Refused for its user's rate, which is no bad frame. The next one is not looked at before it may be. */
  #refuseEarly(early: number, text: string | null): Promise<void> {
    this.#refuse(tooMany("commands", early), text === null ? undefined : parseJson(text));
    return wait(early, undefined, { ref: false });
  }

  #refuse(error: unknown, frame: unknown): void {
    if (error instanceof BadFrame || error instanceof Refusal) {
      const retryAfter = error instanceof Refusal ? error.retryAfter : undefined;
      this.fail({ code: error.code, message: error.message, retryAfter }, frame);
      if (BAD_FRAMES.has(error.code)) this.connection.reportBadFrame();
      return;
    }
    this.#logFault(error, "a frame could not be handled");
    this.fail({ code: "internal", message: "internal error" }, frame);
  }

  #logFault(error: unknown, message: string): void {
    const { profile, params } = this.handshake;
    // A name of the path is not to pass for who it was.
    this.services.log.error({ ...params, user: profile.id, err: error }, message);
  }
}

/** Undefined: it is not JSON, none of which is undefined. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function closeFor(error: unknown): { name: CloseName; reason?: string } {
  if (error instanceof LayerUnavailable) return { name: "unavailable" };
  if (!(error instanceof Refusal)) return { name: "internal" };
  // To come back later is all that is needed.
  if (error instanceof TooManyLargeReads) return { name: "unavailable", reason: error.message };
  switch (error.code) {
    case "not_found":
      return { name: "noSuchRoom" };
    case "unavailable":
      return { name: "unavailable" };
    case "forbidden":
    case "invalid_frame":
    case "conflict":
    case "rate_limited":
      return { name: "policyViolation", reason: error.message };
    case "internal":
      return { name: "internal" };
  }
}
