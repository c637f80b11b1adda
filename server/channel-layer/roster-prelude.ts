import { LEASE_SECONDS } from "./layer.ts";

/**
 * The roster's moves on Redis: each is one script, so that what is counted, what is announced and the order of versions
 * cannot disagree, whatever two nodes do at once. The scripts name their keys themselves, which lie in several slots: one
 * Redis (with or without replicas) works, Redis Cluster does not. They need Redis 6.2 (HRANDFIELD).
 *
 * | key | holds |
 * | --- | --- |
 * | `roster:<group>` | hash: `m<member>` → the nodes that say so, each with `1` or `0` (announced), between commas; `b` → the birth of this key |
 * | `roster-version:<group>` | the group's version |
 * | `roster-node:<node>` | hash: each word of the node → `1` or `0` (announced) and the session that said it last; field `session` → the session that may speak for the node |
 * | `roster-leases` | sorted set: node → when its lease runs out, in ms of Redis' clock (nodes' clocks may differ by minutes) |
 * | `roster-gone` | sorted set: node that ended without its words being found → when; whatever still says it is to be taken back |
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
 *
 * Any one key may be lost (evicted, deleted by hand), and comes right by itself. Nodes that say so are named, not counted, so
 * that saying it twice changes nothing. A node whose words are lost has lost its session with them, and says all of them again. A
 * group that is lost comes back with another birth: each node compares births with every renewal, and says its words in
 * such a group again. A lost lease is renewed, and one that is missing for a node that is named somewhere is given anew,
 * to run out if the node is no more. Nothing lives without somebody who renews it.
 */
const EMPTY_SECONDS = 600;
/** How long a key lives that nobody renews. */
export const UNTENDED_SECONDS = 3_600;
/** Members, with the nodes that say so, that are looked through in one go. */
const LOOKED_THROUGH = 500;
/** How long into a life a node may still be about to say its words: its lease, and a second for the saying. */
const WHOLE_MS = (LEASE_SECONDS + 1) * 1_000;

/**
 * Every script's arguments begin with the prefix of keys, that of channels, a node (whose words are meant) and a session of
 * it (may be empty).
 */
export const prelude = `
local prefix, channels, node, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local words = prefix .. 'roster-node:' .. node
local leases = prefix .. 'roster-leases'
local gone = prefix .. 'roster-gone'
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
  if sign == '+' then redis.call('EXPIRE', version_key(group), ${UNTENDED_SECONDS}) end
  redis.call('PUBLISH', channels .. group, 'r' .. string.format('%.0f', number) .. sign .. member)
end

local function speaks() return redis.call('HGET', words, 'session') == session end
local function word(group, member) return #group .. ':' .. group .. member end

local function birth(group) return redis.call('HGET', members_key(group), 'b') or '' end

local function born(group)
  if redis.call('HEXISTS', members_key(group), 'b') == 1 then return end
  redis.call('DEL', members_key(group))
  redis.call('HSET', members_key(group), 'b', node .. ':' .. string.format('%.0f', microseconds()))
  redis.call('EXPIRE', members_key(group), ${UNTENDED_SECONDS})
end

local function say(group, member, announced)
  local field = word(group, member)
  local known = redis.call('HGET', words, field)
  if known then announced = string.sub(known, 1, 1) end
  redis.call('HSET', words, field, announced .. session)
  born(group)
  local nodes = redis.call('HGET', members_key(group), 'm' .. member)
  if nodes and string.find(nodes, node, 1, true) then return 0 end
  redis.call('HSET', members_key(group), 'm' .. member, (nodes or ',') .. node .. announced .. ',')
  if nodes then return 0 end
  if announced == '1' then announce(group, member, '+') end
  return 1
end

local function retract(group, member, speaker)
  local nodes = redis.call('HGET', members_key(group), 'm' .. member)
  local first, last
  if nodes then first, last = string.find(nodes, speaker, 1, true) end
  if not first then return end
  local announced = string.sub(nodes, last + 1, last + 1)
  local others = string.sub(nodes, 1, first - 1) .. string.sub(nodes, last + 3)
  if #others > 1 then
    redis.call('HSET', members_key(group), 'm' .. member, others)
    return
  end
  redis.call('HDEL', members_key(group), 'm' .. member)
  if announced == '1' then announce(group, member, '-') end
  if redis.call('HLEN', members_key(group)) > 1 then return end
  redis.call('DEL', members_key(group))
  redis.call('EXPIRE', version_key(group), ${EMPTY_SECONDS})
end

local function take_back(field)
  redis.call('HDEL', words, field)
  local colon = string.find(field, ':', 1, true)
  local group_end = colon + tonumber(string.sub(field, 1, colon - 1))
  retract(string.sub(field, colon + 1, group_end), string.sub(field, group_end + 1), node)
end

local function take_back_some(cursor, count, kept_session)
  local scan = redis.call('HSCAN', words, cursor, 'COUNT', count)
  for i = 1, #scan[2], 2 do
    local field, value = scan[2][i], scan[2][i + 1]
    if field ~= 'session' and string.sub(value, 2) ~= kept_session then take_back(field) end
  end
  return scan[1]
end

local function entries(group)
  if redis.call('HLEN', members_key(group)) <= ${LOOKED_THROUGH} then return redis.call('HGETALL', members_key(group)) end
  return redis.call('HRANDFIELD', members_key(group), ${LOOKED_THROUGH}, 'WITHVALUES')
end

-- Calls back for each node that is named in the group, or in a part of a large one.
local function named(group, call)
  local found = entries(group)
  for i = 1, #found, 2 do
    if found[i] ~= 'b' then
      for entry in string.gmatch(found[i + 1], '[^,]+') do call(string.sub(found[i], 2), string.sub(entry, 1, -2)) end
    end
  end
end

local function take_back_gone(group)
  if redis.call('EXISTS', gone) == 0 then return end
  named(group, function(member, speaker)
    if redis.call('ZSCORE', gone, speaker) then retract(group, member, speaker) end
  end)
end

local function listing(group, listed)
  take_back_gone(group)
  local total = math.max(0, redis.call('HLEN', members_key(group)) - 1)
  local fields = {}
  if listed >= total then
    fields = redis.call('HKEYS', members_key(group))
  elseif listed > 0 then
    fields = redis.call('HRANDFIELD', members_key(group), listed + 1)
  end
  local members = {}
  for i = 1, #fields do
    if fields[i] ~= 'b' and #members < listed then members[#members + 1] = string.sub(fields[i], 2) end
  end
  return { birth(group), total, version(group), whole_in(), members }
end
`;
