/** Who is online, asked by users of each other. */
import type { Core } from "../core/core.ts";
import { Refusal } from "../core/errors.ts";
import type { Profile } from "../core/model.ts";
import type { SocketCounts } from "../transport/socket-counts.ts";
import { Turns } from "../transport/turns.ts";

export interface Status {
  readonly userId: string;
  readonly status: "online" | "offline";
  readonly lastSeen: string | null;
}

export interface StatusServices {
  readonly core: Pick<Core, "conversations" | "users">;
  readonly socketCounts: Pick<SocketCounts, "isOnline">;
}

interface Asker {
  readonly turns: Turns;
  /** By whom it asks about. */
  readonly answers: Map<string, Promise<Status>>;
}

/** Questions of one user that are under way together, over all their sockets; the others wait in turn. */
const AT_ONCE = 2;

/** An answer costs up to two queries and a command of the layer; the same question asked meanwhile shares it. */
export class Statuses {
  readonly #services: StatusServices;
  readonly #askers = new Map<string, Asker>();

  constructor(services: StatusServices) {
    this.#services = services;
  }

  /** @throws Refusal `forbidden`: they share no conversation. `unavailable`. */
  of(userId: string, by: Profile): Promise<Status> {
    const asker = this.#askers.get(by.id) ?? { turns: new Turns(AT_ONCE), answers: new Map() };
    const asked = asker.answers.get(userId);
    if (asked !== undefined) return asked;
    this.#askers.set(by.id, asker);
    const answer = asker.turns
      .take(() => this.#look(userId, by))
      .finally(() => {
        asker.answers.delete(userId);
        if (asker.answers.size === 0) this.#askers.delete(by.id);
      });
    asker.answers.set(userId, answer);
    return answer;
  }

  async #look(userId: string, by: Profile): Promise<Status> {
    const { core, socketCounts } = this.#services;
    if (userId !== by.id && !(await core.conversations.areAcquainted(by, userId))) {
      throw new Refusal("forbidden", "you share no conversation with this user");
    }
    const isOnline = await socketCounts.isOnline(userId);
    const lastSeen = isOnline ? null : await core.users.lastSeen(userId);
    return { userId, status: isOnline ? "online" : "offline", lastSeen };
  }
}
