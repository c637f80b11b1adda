/** The roster's moves on Redis, each one script; what they hold in which keys is told with `prelude`. */
import { createHash } from "node:crypto";
import { prelude, UNTENDED_SECONDS } from "./roster-prelude.ts";

export interface RosterScript {
  readonly lua: string;
  readonly sha: string;
}

function script(body: string): RosterScript {
  const lua = prelude + body;
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** All but `sweep` and `rights` answer `null` to who may not speak for the node (any more). */
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
if ARGV[6] ~= '' and ARGV[6] ~= redis.call('HGET', life, 'id') then
  local raised, time = floor(), microseconds()
  if redis.call('HGET', life, 'inherited') == '0' then raised = math.max(raised, time) end
  -- Another Redis, whose clock is behind.
  if tonumber(ARGV[7]) > time then raised = math.max(raised, tonumber(ARGV[7])) end
  redis.call('HSET', life, 'inherited', '1', 'floor', string.format('%.0f', raised))
end
redis.call('HSET', words, 'session', session)
redis.call('ZADD', leases, now() + ARGV[5], node)
redis.call('ZREM', gone, node)
return { known and 1 or 0, redis.call('HGET', life, 'id') }
`),

  /** lease ms → nodes whose lease has run out (at most 16) */
  renew: script(`
if not speaks() then return false end
local time = now()
redis.call('ZADD', leases, time + ARGV[5], node)
for _, key in ipairs({ words, leases, life }) do redis.call('EXPIRE', key, ${UNTENDED_SECONDS}) end
return redis.call('ZRANGEBYSCORE', leases, '-inf', time, 'LIMIT', 0, 16)
`),

  /** group, member, announced, listed → [is new, birth after it, total, version, whole in, members], the last four as before */
  join: script(`
if not speaks() then return false end
local before = listing(ARGV[5], tonumber(ARGV[8]))
return { say(ARGV[5], ARGV[6], ARGV[7]), birth(ARGV[5]), before[2], before[3], before[4], before[5] }
`),

  /** (group, member)… → 1 */
  leave: script(`
if not speaks() then return false end
for i = 5, #ARGV, 2 do take_back(word(ARGV[i], ARGV[i + 1])) end
return 1
`),

  /** (group, member, announced)… → the birth of each group; what was said before is marked as this session's */
  say: script(`
if not speaks() then return false end
local births = {}
for i = 5, #ARGV, 3 do
  say(ARGV[i], ARGV[i + 1], ARGV[i + 2])
  births[#births + 1] = birth(ARGV[i])
end
return births
`),

  /** group… → the birth of each; empty where there is no such key */
  births: script(`
if not speaks() then return false end
local births = {}
for i = 5, #ARGV do births[#births + 1] = birth(ARGV[i]) end
return births
`),

  /**
   * lease ms, group… → 1. Has the keys live on, and looks at the nodes that are named in them: one that has no lease, and is
   * not known to have ended, is given one, to renew if it is alive.
   */
  tend: script(`
if not speaks() then return false end
local known = {}
for i = 6, #ARGV do
  redis.call('EXPIRE', members_key(ARGV[i]), ${UNTENDED_SECONDS})
  redis.call('EXPIRE', version_key(ARGV[i]), ${UNTENDED_SECONDS})
  take_back_gone(ARGV[i])
  named(ARGV[i], function(_, speaker)
    if known[speaker] then return end
    known[speaker] = true
    if not redis.call('ZSCORE', gone, speaker) then redis.call('ZADD', leases, 'NX', now() + ARGV[5], speaker) end
  end)
end
return 1
`),

  /** cursor, count → next cursor, "0" when all words that this session did not say are taken back */
  tidy: script(`
if not speaks() then return false end
return take_back_some(ARGV[5], ARGV[6], session)
`),

  /** cursor, count → next cursor, "0" when the node is gone */
  close: script(`
if not speaks() then return false end
local cursor = take_back_some(ARGV[5], ARGV[6], nil)
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
if redis.call('EXISTS', words) == 0 then
  redis.call('ZADD', gone, now(), node)
  redis.call('ZREMRANGEBYSCORE', gone, '-inf', now() - ${UNTENDED_SECONDS} * 1000)
  redis.call('EXPIRE', gone, ${UNTENDED_SECONDS})
end
redis.call('HDEL', words, 'session')
local cursor = take_back_some(ARGV[5], ARGV[6], nil)
if cursor == '0' and redis.call('EXISTS', words) == 0 then redis.call('ZREM', leases, node) end
return cursor
`),

  /** group, listed → [birth, total, version, ms until the roster is whole, members] */
  list: script(`
if not speaks() then return false end
return listing(ARGV[5], tonumber(ARGV[6]))
`),

  /** group… → the version of each */
  versions: script(`
if not speaks() then return false end
local versions = {}
for i = 5, #ARGV do versions[i - 4] = version(ARGV[i]) end
return versions
`),

  /** → what this user of Redis may not do of that which the scripts do, as "COMMAND: reason" */
  rights: script(`
local problems, probe = {}, prefix .. 'roster-check:' .. node
local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then problems[#problems + 1] = ({ ... })[1] .. ': ' .. reply.err end
end
try('TIME')
try('HSET', probe, 'a', '1', 'b', '2')
for _, read in ipairs({ 'HLEN', 'HKEYS', 'HGETALL', 'EXISTS', 'PERSIST' }) do try(read, probe) end
try('HGET', probe, 'a')
try('HMGET', probe, 'a', 'b')
try('HEXISTS', probe, 'a')
try('HRANDFIELD', probe, 1)
try('HSCAN', probe, '0')
try('HDEL', probe, 'a')
try('EXPIRE', probe, 10)
try('DEL', probe)
try('ZADD', probe, 1, 'a')
try('ZSCORE', probe, 'a')
try('ZRANGE', probe, 0, 0)
try('ZRANGEBYSCORE', probe, '-inf', 1)
try('ZREMRANGEBYSCORE', probe, '-inf', 0)
try('ZREM', probe, 'a')
try('SET', probe, '1', 'EX', 10)
try('GET', probe)
try('INCR', probe)
redis.pcall('DEL', probe)
try('PUBLISH', channels .. 'node:' .. node, 'p')
return problems
`),
} as const satisfies Record<string, RosterScript>;
