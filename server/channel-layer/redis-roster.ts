import type { Outage } from "../core/outage.ts";
import {
  LayerUnavailable,
  LEASE_SECONDS,
  type Roster,
  type RosterChange,
  type RosterJoin,
  type RosterList,
} from "./layer.ts";
import type { LayerLog, RedisConnection } from "./redis-connection.ts";
import type { RedisHealth } from "./redis-health.ts";
import { type JoinReply, type ListReply, type OpenReply, toRosterList, type WordsBefore } from "./roster-replies.ts";
import { type RosterScript, rosterScripts } from "./roster-scripts.ts";
import { flag, GROUPS_IN_ONE_SCRIPT, inRuns, RosterUpkeep, rosterOutage, takeBackAll } from "./roster-upkeep.ts";
import { RosterWords } from "./roster-words.ts";

const LEASE_MS = LEASE_SECONDS * 1_000;

/** Whether Redis knows this node's words. Only a session may speak for it (see the scripts); a new one says all again. */
type State =
  | { readonly kind: "away" }
  | { readonly kind: "opening"; readonly session: number }
  | { readonly kind: "open"; readonly session: number }
  | { readonly kind: "closed" };

export interface RedisRosterOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly channelPrefix: string;
  readonly nodeId: string;
  readonly health: RedisHealth;
  readonly log: LayerLog;
}

/**
 * The roster on Redis. This node's words are kept here as well: they are the truth, and each new session tells Redis all
 * of them and has it take back the rest, whatever became of the commands that the one before had in flight.
 */
export class RedisRoster implements Roster {
  readonly #options: RedisRosterOptions;
  readonly #connection: RedisConnection;
  readonly #outage: Outage;
  readonly #words = new RosterWords();
  readonly #upkeep: RosterUpkeep;
  readonly #changeHandlers: ((change: RosterChange) => void)[] = [];
  readonly #reopenedHandlers: ((before: WordsBefore) => void)[] = [];
  #state: State = { kind: "away" };
  #lastSession = 0;
  /** The roster's life (see the scripts) that this node has said its words in; empty before the first. */
  #life = "";
  #highestVersion = 0;
  #renewals: NodeJS.Timeout | undefined;

  constructor(options: RedisRosterOptions) {
    const { log, connection } = options;
    this.#options = options;
    this.#connection = connection;
    this.#outage = rosterOutage(log);
    this.#upkeep = new RosterUpkeep({
      words: this.#words,
      speak: (script, session, args) => this.#speak(script, session, ...args),
      log,
      outage: this.#outage,
    });
  }

  /** Takes the lease, and keeps it from now on. Rejects with `LayerUnavailable`. */
  async start(): Promise<void> {
    await this.#checkRights();
    await this.#open();
    this.#connection.onLost(() => {
      if (this.#state.kind !== "closed") this.#state = { kind: "away" };
    });
    this.#connection.onReady(() => this.#reopen());
    this.#renewals = setInterval(() => this.#tick(), LEASE_MS / 3);
  }

  get isOpen(): boolean {
    return this.#state.kind === "open";
  }

  /** Called whenever a session after the first has said all words. */
  onReopened(handler: (before: WordsBefore) => void): void {
    this.#reopenedHandlers.push(handler);
  }

  onChange(handler: (change: RosterChange) => void): void {
    this.#changeHandlers.push(handler);
  }

  receive(change: RosterChange): void {
    this.#highestVersion = Math.max(this.#highestVersion, change.version);
    for (const handler of this.#changeHandlers) handler(change);
  }

  async join(
    group: string,
    member: string,
    { announced, listed }: { announced: boolean; listed: number },
  ): Promise<RosterJoin> {
    const session = this.#requireOpen();
    const word = this.#words.say(group, member, announced);
    try {
      const args = [group, member, flag(announced), listed];
      const [isNew, ...before] = await this.#speak<JoinReply>(rosterScripts.join, session, ...args);
      const answer = { before: this.#heed(group, before), isNew: isNew === 1 };
      this.#words.saidIn(group, before[0]);
      return answer;
    } catch (error) {
      // Redis may have heard it all the same: the next session takes it back.
      if (this.#words.unsay(word)) this.#upkeep.owe(group, member);
      throw error;
    }
  }

  leave(group: string, member: string): void {
    if (!this.#words.takeBack(group, member)) return;
    switch (this.#state.kind) {
      case "opening":
      case "open":
        this.#speak(rosterScripts.leave, this.#state.session, group, member).catch((err: unknown) => {
          this.#upkeep.owe(group, member);
          this.#outage.fails({ err });
        });
        return;
      case "away":
        this.#upkeep.owe(group, member);
        return;
      case "closed":
        return;
    }
  }

  async list(group: string, listed: number): Promise<RosterList> {
    const session = this.#requireOpen();
    return this.#heed(group, await this.#speak<ListReply>(rosterScripts.list, session, group, listed));
  }

  async has(group: string, member: string): Promise<boolean> {
    this.#requireOpen();
    const { client } = this.#connection;
    return (await this.#connection.ask(client.hexists(`${this.#options.prefix}roster:${group}`, `m${member}`))) === 1;
  }

  async versions(groups: readonly string[]): Promise<number[]> {
    const session = this.#requireOpen();
    const runs = inRuns(groups, GROUPS_IN_ONE_SCRIPT).map((some) =>
      this.#speak<string[]>(rosterScripts.versions, session, ...some),
    );
    return (await Promise.all(runs)).flat().map(Number);
  }

  /** Takes back all words. While Redis is away the lease does it, by running out. */
  async close(): Promise<void> {
    clearInterval(this.#renewals);
    const state = this.#state;
    this.#state = { kind: "closed" };
    this.#words.clear();
    if (state.kind === "away" || state.kind === "closed") return;
    try {
      await takeBackAll((...some) => this.#speak<string>(rosterScripts.close, state.session, ...some));
    } catch (err) {
      this.#options.log.warn({ err }, "could not leave the rosters; the others do it when the lease has run out");
    }
  }

  async #open(): Promise<WordsBefore> {
    this.#lastSession += 1;
    const session = this.#lastSession;
    this.#state = { kind: "opening", session };
    try {
      const before = await this.#begin(session);
      await this.#upkeep.takeBackOwed(session);
      await this.#upkeep.say(session, this.#words);
      await takeBackAll((...some) => this.#speak<string>(rosterScripts.tidy, session, ...some));
      if (!this.#isCurrent(session)) throw new LayerUnavailable("interrupted while saying the words");
      this.#state = { kind: "open", session };
      return before;
    } catch (error) {
      if (this.#isCurrent(session)) this.#state = { kind: "away" };
      throw error;
    }
  }

  /**
   * The scripts go ahead of the session's first command. They are not left to ioredis' `defineCommand`, which sends a
   * command that met an unloaded script (after SCRIPT FLUSH) a second time, behind those that followed it: a join could
   * overtake the leave that came after it.
   */
  async #begin(session: number): Promise<WordsBefore> {
    const { client } = this.#connection;
    const loads = Object.values(rosterScripts).map(({ lua }) => this.#connection.ask(client.script("LOAD", lua)));
    const known = [LEASE_MS, this.#life, this.#highestVersion];
    const opened = this.#speak<OpenReply>(rosterScripts.open, session, ...known);
    const [[kept, life]] = await Promise.all([opened, ...loads]);
    this.#life = life;
    return kept === 1 ? "kept" : "forgotten";
  }

  #reopen(): void {
    if (this.#state.kind !== "away") return;
    this.#open().then(
      (before) => this.#reopenedHandlers.map((handler) => handler(before)),
      (err: unknown) => this.#outage.fails({ err }),
    );
  }

  #tick(): void {
    switch (this.#state.kind) {
      case "opening":
      case "open":
        this.#renew(this.#state.session).then(
          () => this.#outage.works(),
          (err: unknown) => this.#outage.fails({ err }),
        );
        return;
      case "away":
        if (this.#connection.isReady) this.#reopen();
        return;
      case "closed":
        return;
    }
  }

  /** Every node sweeps: none has to be chosen, and two at the same dead one only share the work. */
  async #renew(session: number): Promise<void> {
    const deadNodes = await this.#speak<string[]>(rosterScripts.renew, session, LEASE_MS);
    for (const node of deadNodes) {
      this.#options.log.info({ node }, "a node's lease ran out: its roster members leave");
      await takeBackAll((...some) => this.#run(rosterScripts.sweep, node, "", some) as Promise<string>);
    }
    await this.#upkeep.keep(session);
  }

  /** Rejects with `LayerUnavailable` unless this node may speak, and Redis takes it down. */
  async check(): Promise<void> {
    await this.#speak<string[]>(rosterScripts.renew, this.#requireOpen(), LEASE_MS);
  }

  /** Rejects with `LayerUnavailable` that names what Redis does not permit. */
  async #checkRights(): Promise<void> {
    const { client } = this.#connection;
    const { prefix, channelPrefix, nodeId } = this.#options;
    const problems = await this.#connection.ask(
      client.eval(rosterScripts.rights.lua, 0, prefix, channelPrefix, nodeId),
    );
    if (Array.isArray(problems) && problems.length > 0) throw new LayerUnavailable(problems.slice(0, 3).join("; "));
  }

  /** Runs a script in this node's name. */
  async #speak<Reply>(script: RosterScript, session: number, ...args: (string | number)[]): Promise<Reply> {
    let reply: unknown;
    try {
      reply = await this.#run(script, this.#options.nodeId, session, args);
    } catch (error) {
      this.#options.health.failed(error, "keep the roster");
      if (this.#connection.isReady) this.#doubt(session);
      throw error;
    }
    if (reply !== null) return reply as Reply;
    this.#doubt(session);
    throw new LayerUnavailable("Redis has forgotten this node, which says its words again");
  }

  /**
   * The lease was swept, or Redis refused something: a new session puts right whatever Redis holds. One that is just being
   * opened is followed by another at the next tick, so that a Redis that refuses everything is not asked in a circle.
   */
  #doubt(session: number): void {
    const state = this.#state;
    if (state.kind === "away" || state.kind === "closed" || state.session !== session) return;
    this.#state = { kind: "away" };
    if (state.kind === "open") this.#reopen();
  }

  #run(script: RosterScript, node: string, session: number | "", args: (string | number)[]): Promise<unknown> {
    const { client } = this.#connection;
    return this.#connection.ask(
      client.evalsha(script.sha, 0, this.#options.prefix, this.#options.channelPrefix, node, session, ...args),
    );
  }

  /** A list from a key that is not the one this node's words were said in lacks what was said in that. */
  #heed(group: string, reply: ListReply): RosterList {
    const list = toRosterList(reply);
    this.#highestVersion = Math.max(this.#highestVersion, list.version);
    const session = this.#state.kind === "open" ? this.#state.session : null;
    const wholeIn = Math.max(list.wholeIn, this.#upkeep.wholeIn(group, reply[0], session));
    return { ...list, wholeIn };
  }

  #requireOpen(): number {
    if (this.#state.kind !== "open") throw new LayerUnavailable(`the roster is ${this.#state.kind}`);
    return this.#state.session;
  }

  #isCurrent(session: number): boolean {
    return this.#state.kind === "opening" && this.#state.session === session;
  }
}
