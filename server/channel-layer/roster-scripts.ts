import { createHash } from "node:crypto";
import { LEASE_SECONDS } from "./layer.ts";

/**
 * The roster's moves on Redis: each is one script, so that what is counted, what is announced and the order of versions
 * cannot disagree, whatever two nodes do at once. The scripts name their keys themselves, which lie in several slots: one
 * Redis (with or without replicas) works, Redis Cluster does not. They need Redis 6.2 (HRANDFIELD).
 *
 * | key | holds |
 * | --- | --- |
 * | `roster:<group>` | hash: member → how many nodes say so |
 * | `roster-version:<group>` | the group's version |
 * | `roster-node:<node>` | hash: each word of the node → `1` or `0` (announced) and the session that said it last; field `session` → the session that may speak for the node |
 * | `roster-leases` | sorted set: node → when its lease runs out, in ms of Redis' clock (nodes' clocks may differ by minutes) |
 * | `roster-life` | hash: `id` of this life of the roster; `run`, Redis' run id; `begun`, in ms; `floor`, which all its versions are above; `inherited`, `1` when a node has come from a life before |
 *
 * A session is a node's run on one connection. A command of an older session is refused: it may sit in the buffers of a
 * paused Redis long after the node gave it up as failed.
 *
 * A version starts from Redis' clock in microseconds and grows by one. So a version that is forgotten (`EMPTY_SECONDS` after
 * the last member left) starts again above all that anybody remembers: a group does not change a million times a second.
 * The number stays below 2^53.
 *
 * A life of the roster ends when it can no longer be taken at its word: Redis was emptied, or restarted (perhaps with what
 * it had saved an hour ago), or no node reached it for a lease's time. In the next one nodes say their words again, each
 * when it is back; until all have had a lease's time for that, who is not listed may be here all the same. With the first
 * node that remembers another life the floor rises, so that whoever has listed a group sees a gap at the next change, lists
 * it again and learns of this.
 */
const EMPTY_SECONDS = 600;
/** How long into a life a node may still be about to say its words: its lease, and a second for the saying. */
const WHOLE_MS = (LEASE_SECONDS + 1) * 1_000;

/** Every script's arguments begin with the prefix, a node (whose words are meant) and a session of it (may be empty). */
const prelude = `
local prefix, node, session = ARGV[1], ARGV[2], ARGV[3]
local words = prefix .. 'roster-node:' .. node
local leases = prefix .. 'roster-leases'
local life = prefix .. 'roster-life'

local function members_key(group) return prefix .. 'roster:' .. group end
local function version_key(group) return prefix .. 'roster-version:' .. group end

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function microseconds()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function floor() return tonumber(redis.call('HGET', life, 'floor') or 0) end

local function version(group)
  local known = redis.call('GET', version_key(group))
  if known and tonumber(known) > floor() then return known end
  local start = string.format('%.0f', math.max(microseconds(), floor() + 1))
  if known then redis.call('SET', version_key(group), start, 'KEEPTTL')
  else redis.call('SET', version_key(group), start, 'EX', ${EMPTY_SECONDS}) end
  return start
end

local function whole_in()
  local known = redis.call('HMGET', life, 'begun', 'inherited')
  if known[2] ~= '1' then return 0 end
  return math.max(0, known[1] + ${WHOLE_MS} - now())
end

local function announce(group, member, sign)
  version(group)
  local number = redis.call('INCR', version_key(group))
  if sign == '+' then redis.call('PERSIST', version_key(group)) end
  redis.call('PUBLISH', prefix .. 'group:' .. group, 'r' .. string.format('%.0f', number) .. sign .. member)
end

local function speaks() return redis.call('HGET', words, 'session') == session end
local function word(group, member) return #group .. ':' .. group .. member end

local function say(group, member, announced)
  local field = word(group, member)
  local known = redis.call('HGET', words, field)
  if known then
    redis.call('HSET', words, field, string.sub(known, 1, 1) .. session)
    return 0
  end
  redis.call('HSET', words, field, announced .. session)
  if redis.call('HINCRBY', members_key(group), member, 1) > 1 then return 0 end
  if announced == '1' then announce(group, member, '+') end
  return 1
end

local function take_back(field, announced)
  if redis.call('HDEL', words, field) == 0 then return end
  local colon = string.find(field, ':', 1, true)
  local group_end = colon + tonumber(string.sub(field, 1, colon - 1))
  local group, member = string.sub(field, colon + 1, group_end), string.sub(field, group_end + 1)
  if redis.call('HINCRBY', members_key(group), member, -1) > 0 then return end
  redis.call('HDEL', members_key(group), member)
  if announced == '1' then announce(group, member, '-') end
  if redis.call('EXISTS', members_key(group)) == 0 then redis.call('EXPIRE', version_key(group), ${EMPTY_SECONDS}) end
end

local function take_back_some(cursor, count, kept_session)
  local scan = redis.call('HSCAN', words, cursor, 'COUNT', count)
  for i = 1, #scan[2], 2 do
    local field, value = scan[2][i], scan[2][i + 1]
    if field ~= 'session' and string.sub(value, 2) ~= kept_session then take_back(field, string.sub(value, 1, 1)) end
  end
  return scan[1]
end

local function listing(group, listed)
  local total = redis.call('HLEN', members_key(group))
  local members = {}
  if listed >= total then
    members = redis.call('HKEYS', members_key(group))
  elseif listed > 0 then
    members = redis.call('HRANDFIELD', members_key(group), listed)
  end
  return { total, version(group), whole_in(), members }
end
`;

export interface RosterScript {
  readonly lua: string;
  readonly sha: string;
}

function script(body: string): RosterScript {
  const lua = prelude + body;
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** All but `sweep` answer `null` to who may not speak for the node (any more). */
export const rosterScripts = {
  /**
   * lease ms, the life that the node knows (empty: none), the highest version it knows → [1 when Redis still held the
   * node's words, else 0, the life it is now]. Where INFO is not permitted, a restart with saved data begins no new life.
   */
  open: script(`
local known = redis.call('HGET', words, 'session')
if known and tonumber(known) > tonumber(session) then return false end
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local last = redis.call('ZRANGE', leases, -1, -1, 'WITHSCORES')
local is_held = last[2] and tonumber(last[2]) > now()
if not is_held or redis.call('HGET', life, 'run') ~= run then
  local floor = string.format('%.0f', microseconds())
  redis.call('HSET', life, 'id', node .. ':' .. session, 'run', run, 'begun', now(), 'floor', floor, 'inherited', '0')
end
if ARGV[5] ~= '' and ARGV[5] ~= redis.call('HGET', life, 'id') then
  local raised, time = floor(), microseconds()
  if redis.call('HGET', life, 'inherited') == '0' then raised = math.max(raised, time) end
  -- Another Redis, whose clock is behind.
  if tonumber(ARGV[6]) > time then raised = math.max(raised, tonumber(ARGV[6])) end
  redis.call('HSET', life, 'inherited', '1', 'floor', string.format('%.0f', raised))
end
redis.call('HSET', words, 'session', session)
redis.call('ZADD', leases, now() + ARGV[4], node)
return { known and 1 or 0, redis.call('HGET', life, 'id') }
`),

  /** lease ms → nodes whose lease has run out (at most 16) */
  renew: script(`
if not speaks() then return false end
local time = now()
redis.call('ZADD', leases, time + ARGV[4], node)
return redis.call('ZRANGEBYSCORE', leases, '-inf', time, 'LIMIT', 0, 16)
`),

  /** group, member, announced, listed → [is new, total, version, whole in, members], the last four as they were before */
  join: script(`
if not speaks() then return false end
local before = listing(ARGV[4], tonumber(ARGV[7]))
return { say(ARGV[4], ARGV[5], ARGV[6]), before[1], before[2], before[3], before[4] }
`),

  /** group, member, announced → 1 */
  leave: script(`
if not speaks() then return false end
take_back(word(ARGV[4], ARGV[5]), ARGV[6])
return 1
`),

  /** (group, member, announced)… → 1; what was said before is marked as this session's */
  say: script(`
if not speaks() then return false end
for i = 4, #ARGV, 3 do say(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
return 1
`),

  /** cursor, count → next cursor, "0" when all words that this session did not say are taken back */
  tidy: script(`
if not speaks() then return false end
return take_back_some(ARGV[4], ARGV[5], session)
`),

  /** cursor, count → next cursor, "0" when the node is gone */
  close: script(`
if not speaks() then return false end
local cursor = take_back_some(ARGV[4], ARGV[5], nil)
if cursor == '0' then
  redis.call('DEL', words)
  redis.call('ZREM', leases, node)
  if redis.call('EXISTS', leases) == 0 then redis.call('DEL', life) end
end
return cursor
`),

  /**
   * cursor, count → next cursor, "0" when there is nothing (more) to take back. The node loses its session first, so that
   * it notices when it was only paused. A word that the scan missed keeps the lease listed for the next sweep.
   */
  sweep: script(`
local lease = redis.call('ZSCORE', leases, node)
if not lease or tonumber(lease) > now() then return '0' end
redis.call('HDEL', words, 'session')
local cursor = take_back_some(ARGV[4], ARGV[5], nil)
if cursor == '0' and redis.call('EXISTS', words) == 0 then redis.call('ZREM', leases, node) end
return cursor
`),

  /** group, listed → [total, version, ms until the roster is whole, members] */
  list: script(`
if not speaks() then return false end
return listing(ARGV[4], tonumber(ARGV[5]))
`),

  /** group… → the version of each */
  versions: script(`
if not speaks() then return false end
local versions = {}
for i = 4, #ARGV do versions[i - 3] = version(ARGV[i]) end
return versions
`),
} as const satisfies Record<string, RosterScript>;
