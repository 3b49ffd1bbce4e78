-- Decides requests of one shard. Everything is read before anything is written, and written once at the end.
--
-- KEYS[1] the shard's own key; the others are what is counted. All of one shard share a hash tag.
-- ARGV    now in milliseconds, or "" for the server's clock
--         reports: how many, then of each: key, shape, limit, window, count, until, past
--         groups:  how many, then of each: requests, rules, then of each rule: key, shape, limit, window, least, until
-- Answer  { now, decided by, then of each group: admitted, then of each rule: used before, when that changes }
--         { -1 }: a window that the node has counts of is gone; it must report them first
--
-- Shapes: r a list of moments, c and d a calendar period, w counters of a sixtieth of the window.
-- Times are kept on a clock of the shard's own that never goes back: `shift` is how far the server's was set back, and
-- `broke` when that was last.
local call, floor, fmt = redis.call, math.floor, string.format
local at_arg = 1
local function arg() local text = ARGV[at_arg]; at_arg = at_arg + 1; return text end
local function number() return tonumber(arg()) end

local now = number()
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end
local seen, shift, broke = now, 0, 0
local own = call('GET', KEYS[1])
if own then
  local latest, back, at = string.match(own, '^(%-?%d+) (%d+) (%d+)$')
  seen, shift, broke = tonumber(latest), tonumber(back), tonumber(at)
end
local at = now + shift
if at < seen then
  -- A reading a little late is the latest moment; one far back is a clock set back, and time stands still meanwhile.
  if seen - at > 5000 then shift, broke = shift + seen - at, seen end
  at = seen
end
-- The moment on the server's clock.
local here = at - shift

local function lasts(window) return fmt('%.0f', window * 2 + 60000) end

-- Lists of moments -----------------------------------------------------------------------------------------------
local ring = {}

-- How many at the front have left the window: found by doubling, then by halving.
local function expired(key, len, edge)
  local low, high = 0, 1
  while high < len and tonumber(call('LINDEX', key, high)) <= edge do low, high = high, high * 2 end
  if high > len - 1 then high = len - 1 end
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if tonumber(call('LINDEX', key, middle)) <= edge then low = middle else high = middle end
  end
  return low + 1
end

function ring.load(key, window)
  local edge, len = at - window, call('LLEN', key)
  if len > 0 and tonumber(call('LINDEX', key, 0)) <= edge then
    if tonumber(call('LINDEX', key, -1)) <= edge then
      call('DEL', key)
      len = 0
    else
      local gone = expired(key, len, edge)
      call('LPOP', key, gone)
      len = len - gone
    end
  end
  return { key = key, used = len, old = len, window = window }
end

function ring.changes(s, limit)
  if s.used == 0 then return 0 end
  local place = s.used > limit and s.used - limit or 0
  local stamp = place < s.old and tonumber(call('LINDEX', s.key, place)) or at
  return stamp + s.window - shift
end

function ring.save(s)
  local stamp, left = fmt('%.0f', at), s.used - s.old
  while left > 0 do
    local some, part = {}, left < 1000 and left or 1000
    for i = 1, part do some[i] = stamp end
    call('RPUSH', s.key, unpack(some))
    left = left - part
  end
  call('PEXPIRE', s.key, lasts(s.window))
end

-- Calendar periods, on the server's clock --------------------------------------------------------------------------
local period = {}

function period.load(key, window)
  local s = { key = key, used = 0, ends = 0, window = window }
  local kept = call('GET', key)
  if kept then
    local ends, used, was, back = string.match(kept, '^(%-?%d+) (%d+) (%d+) (%d+)$')
    s.ends, s.used, was, back = tonumber(ends), tonumber(used), tonumber(was), shift - back
    if back > 0 then
      -- A clock set back: what was over stays over; else it ends at the first multiple that is no nearer than its end was.
      local over = s.used == 0 or s.ends + shift - back <= broke
      s.ends = math.min(s.ends, math.ceil((s.ends - back) / was) * was)
      if over then s.used, s.ends = 0, 0 end
    end
    s.was = was
  end
  period.turn(s, window)
  return s
end

function period.turn(s, window)
  local ends = (floor(here / window) + 1) * window
  if here >= s.ends then
    s.used, s.ends = 0, ends
  elseif s.was and s.was ~= window then
    s.ends = ends
  end
  s.was, s.window = window, window
end

function period.changes(s) return s.ends end

function period.save(s)
  call('SET', s.key, fmt('%.0f %.0f %.0f %.0f', s.ends, s.used, s.window, shift), 'PX', lasts(s.window))
end

-- Counters of a sixtieth of the window ------------------------------------------------------------------------------
local wheel = {}

-- Counter nought starts at `origin`: where the server's clock had its own nought when this was made.
local function wheel_of(key, window, origin)
  local width = math.ceil(window / 60)
  local touched = math.max(1, math.min(61, floor((window + width - 2) / width) + 1))
  local newest = floor((at - origin) / width)
  return { key = key, used = 0, window = window, origin = origin, width = width, touched = touched, newest = newest, counts = {} }
end

-- Keeps what the window at `at` still touches.
local function put(s, index, count)
  if count > 0 and index > s.newest - s.touched then
    s.counts[index] = (s.counts[index] or 0) + count
    s.used = s.used + count
  end
end

function wheel.load(key, window)
  local kept = call('GET', key)
  if not kept then
    local s = wheel_of(key, window, shift)
    s.missing = true
    return s
  end
  local was = cmsgpack.unpack(kept)
  local same, width, origin = was[1] == window, math.ceil(was[1] / 60), was[2]
  local s = wheel_of(key, window, same and origin or shift)
  for i = 3, #was, 2 do
    local index = was[i]
    -- Another window by an override: each counter goes where its last millisecond falls.
    if not same then
      index = math.min(s.newest, floor(((index + 1) * width + origin - 1 - s.origin) / s.width))
    end
    put(s, index, was[i + 1])
  end
  -- An empty one starts where the clock does, whatever became of the clock before.
  return s.used > 0 and s or wheel_of(key, window, shift)
end

-- When `excess` of what is held has left.
function wheel.changes(s, limit)
  local excess, left = math.max(1, s.used - limit + 1), 0
  for index = s.newest - s.touched + 1, s.newest do
    left = left + (s.counts[index] or 0)
    if left >= excess then return (index + s.touched) * s.width + s.origin - shift end
  end
  return (s.newest + s.touched) * s.width + s.origin - shift
end

function wheel.add(s, count) put(s, s.newest, count) end

function wheel.save(s)
  local kept = { s.window, s.origin }
  for index = s.newest - s.touched + 1, s.newest do
    if s.counts[index] then
      kept[#kept + 1] = index
      kept[#kept + 1] = s.counts[index]
    end
  end
  call('SET', s.key, cmsgpack.pack(kept), 'PX', lasts(s.window))
end

local shapes = { r = ring, c = period, d = period, w = wheel }
local states = {}

local function state(place, shape, window)
  local s = states[place]
  if not s then
    s = shapes[shape].load(KEYS[place], window)
    s.shape = shapes[shape]
    states[place] = s
  elseif s.window ~= window and shape ~= 'r' then
    -- Two rules of one call see another window: what an override changed while the call waited.
    if s.shape == period then period.turn(s, window) end
  end
  return s
end

local function add(s, count)
  if count <= 0 then return end
  if s.shape.add then s.shape.add(s, count) else s.used = s.used + count end
  s.dirty = true
end

-- What the node has counted and this server has not: while it did not answer, or before it was emptied.
for _ = 1, number() do
  local place, shape, limit, window = number(), arg(), number(), number()
  local count, ends, past = number(), number(), arg()
  local s = state(place, shape, window)
  -- What was counted in another period than the one that runs counts no more.
  if s.shape == period and s.ends ~= ends then count = 0 end
  if past ~= '' and s.missing then
    for age, held in string.gmatch(past, '(%d+):(%d+)') do
      put(s, floor((at - age - s.origin) / s.width), tonumber(held))
    end
    s.missing, s.dirty = false, true
  end
  add(s, math.min(count, math.max(0, limit - s.used)))
end

local groups = {}
for g = 1, number() do
  local group = { n = number(), rules = {} }
  for r = 1, number() do
    local place, shape, limit, window = number(), arg(), number(), number()
    local least, ends = number(), number()
    local s = state(place, shape, window)
    if least > 0 and s.shape == wheel and s.missing then return { -1 } end
    -- Within a period a count only grows: what a node has seen is the least there is.
    if s.shape == period and s.ends == ends and s.used < least then s.used, s.dirty = least, true end
    group.rules[r] = { s = s, limit = limit, meter = shape == 'd' }
  end
  groups[g] = group
end

local answer = { now, here }
for _, group in ipairs(groups) do
  local admitted = group.n
  for _, rule in ipairs(group.rules) do admitted = math.max(0, math.min(admitted, rule.limit - rule.s.used)) end
  answer[#answer + 1] = admitted
  for _, rule in ipairs(group.rules) do
    answer[#answer + 1] = rule.s.used
    answer[#answer + 1] = rule.s.shape.changes(rule.s, rule.limit)
  end
  for _, rule in ipairs(group.rules) do
    -- A meter counts whatever the others say, but not past its own gate.
    add(rule.s, rule.meter and math.min(group.n, rule.limit - rule.s.used) or admitted)
  end
end

-- Somebody who only looks at a shard that nobody uses leaves nothing behind; a call about nothing tries whether it may write.
local written = own or #groups == 0
for _, s in pairs(states) do
  if s.dirty then
    s.shape.save(s)
    written = true
  end
end
-- Longer than the longest window there can be.
if written then call('SET', KEYS[1], fmt('%.0f %.0f %.0f', at, shift, broke), 'PX', '5443200000') end
return answer
