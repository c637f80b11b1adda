/** What people were told, against what is stored: all but presence. */
import type { Faults } from "./faults.ts";
import type { HeardChange } from "./records.ts";
import type { Traffic } from "./traffic.ts";
import type { StoredMessage, Truth } from "./truth.ts";

type Told = Omit<Faults, "wrongPresence" | "falseLeaves" | "closed" | "late">;

/** Ms by which a date may seem to be outside of the test's time: both ends were read a moment apart. */
const CLOCK_TOLERANCE = 1_000;

/** `delivered`: changes told, over all sockets. */
export function compareTold(truth: Truth, traffic: Traffic): { told: Told; delivered: number } {
  const heard = { undelivered: 0, doubled: 0, outOfOrder: 0, strangers: 0, wrongDates: 0 };
  let delivered = 0;
  const look = (changes: readonly HeardChange[], conversationId: string) => {
    const found = compareChanges(truth, changes, conversationId, traffic.kind);
    for (const key of Object.keys(heard) as (keyof typeof heard)[]) heard[key] += found[key];
    delivered += changes.length;
  };
  for (const { record } of traffic.rooms) look(record.changes, record.conversationId);
  for (const { person, record } of traffic.events) {
    const own = new Set<string>();
    for (const { id, people } of traffic.conversations) if (people.includes(person)) own.add(id);
    for (const id of own)
      look(
        record.changes.filter((change) => change.conversationId === id),
        id,
      );
    heard.strangers += record.changes.filter((change) => !own.has(change.conversationId)).length;
  }
  const stored = compareStored(truth, traffic);
  return {
    delivered,
    told: {
      ...stored,
      undelivered: heard.undelivered,
      doubled: stored.doubled + heard.doubled,
      outOfOrder: heard.outOfOrder,
      strangers: stored.strangers + heard.strangers,
      wrongDates: heard.wrongDates + countWrongDates(truth, traffic),
      wrongBadges: countWrongBadges(truth, traffic),
      unanswered: traffic.ledger.unanswered,
    },
  };
}

/** What one socket heard of one conversation, from its first number on. */
function compareChanges(truth: Truth, changes: readonly HeardChange[], conversationId: string, kind: Traffic["kind"]) {
  const found = { undelivered: 0, doubled: 0, outOfOrder: 0, strangers: 0, wrongDates: 0 };
  const numbers = truth.numbers.get(conversationId) ?? new Map<number, StoredMessage>();
  const heard = new Set<number>();
  let highest = 0;
  for (const { seq, messageId, text, date } of changes) {
    const message = numbers.get(seq);
    if (message === undefined || message.id !== messageId || !isTextOf(message, text)) found.strangers += 1;
    else if (date !== null && date !== message.createdAt) found.wrongDates += 1;
    if (heard.has(seq)) found.doubled += 1;
    else if (seq < highest) found.outOfOrder += 1;
    heard.add(seq);
    highest = Math.max(highest, seq);
  }
  for (let seq = 1; seq <= (truth.positions.get(conversationId) ?? 0); seq += 1) {
    const message = numbers.get(seq);
    // In a replay a message comes once, at its newest number.
    const isReplaced = kind === "library" && message !== undefined && heard.has(message.changedSeq);
    if (!heard.has(seq) && !isReplaced) found.undelivered += 1;
  }
  return found;
}

/** A message is told as it was sent or as it was edited. */
function isTextOf({ clientId }: StoredMessage, text: string | null): boolean {
  return text === `${clientId} said` || text === `${clientId} edited`;
}

function compareStored({ messages }: Truth, { ledger }: Traffic) {
  const found = { lost: 0, falselyAcknowledged: 0, doubled: 0, strangers: 0 };
  const stored = new Map<string, StoredMessage>();
  for (const message of messages) {
    const sent = ledger.messages.get(message.clientId ?? "");
    const isSent = sent?.sender === message.sender && sent.conversationId === message.conversationId;
    if (!isSent || !isTextOf(message, message.text)) found.strangers += 1;
    else if (stored.has(sent.clientId)) found.doubled += 1;
    else stored.set(sent.clientId, message);
  }
  for (const { clientId, acknowledged } of ledger.messages.values()) {
    if (acknowledged === null) continue;
    const message = stored.get(clientId);
    if (message === undefined) found.lost += 1;
    else if (message.id !== acknowledged.id || !isNumberOf(message, acknowledged.seq)) found.falselyAcknowledged += 1;
  }
  return found;
}

/** An acknowledgement that came with a replay has the number of the newest change. */
function isNumberOf({ seq, changedSeq }: StoredMessage, acknowledged: number): boolean {
  return acknowledged >= seq && acknowledged <= changedSeq;
}

function countWrongDates({ messages, now }: Truth, { startedAt }: Traffic): number {
  const earliest = now - (performance.now() - startedAt) - CLOCK_TOLERANCE;
  const newest = new Map<string, number>();
  let count = 0;
  for (const { conversationId, createdAt } of messages) {
    const date = Date.parse(createdAt);
    const isOutside = date < earliest || date > now + CLOCK_TOLERANCE;
    if (isOutside || date < (newest.get(conversationId) ?? 0)) count += 1;
    newest.set(conversationId, date);
  }
  return count;
}

function countWrongBadges({ unread }: Truth, { badges }: Traffic): number {
  const totals = new Map<string, number>();
  for (const [key, count] of unread) {
    const [person = ""] = key.split(" ");
    totals.set(person, (totals.get(person) ?? 0) + count);
  }
  return badges.filter(({ person, conversationId, record }) => {
    const recount = conversationId === null ? totals.get(person) : unread.get(`${person} ${conversationId}`);
    return record.count !== recount;
  }).length;
}
