"""The sources of the sliding log's exercise: stub, answer, and the longer mistakes.

Each mistake is what somebody has written in earnest. Left out: what is wrong with them, which the
exercise says.
"""

from course_lib.exercises.exercise import changed

__all__ = ["ANSWER", "AS_MEMBERS", "CHECK_THEN_ADD", "FIXED", "STUB", "TRANSACTION", "own_clock"]

STUB = '''
async def allow(redis, key, limit, window):
    """Whether one more request of `key` may pass; True or False.

    At most `limit` requests are admitted in any trailing `window` (milliseconds): one admitted
    at t counts until t + window, exactly. `redis` is a redis.asyncio.Redis. Other servers ask
    at the same time, their clocks are not yours, and denied requests do not count.
    """
    raise NotImplementedError
'''

ANSWER = '''
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, window = tonumber(ARGV[1]), ARGV[2] * 1000
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) + window <= now do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
if redis.call('LLEN', KEYS[1]) >= limit then return 0 end
redis.call('RPUSH', KEYS[1], string.format('%d', now))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

async def allow(redis, key, limit, window):
    return await redis.eval(SCRIPT, 1, key, limit, window) == 1
'''

CHECK_THEN_ADD = """
async def allow(redis, key, limit, window):
    seconds, micros = await redis.time()
    now = seconds * 1_000_000 + micros
    await redis.zremrangebyscore(key, 0, now - window * 1000)
    if await redis.zcard(key) >= limit:
        return False
    number = await redis.incr(key + ":number")
    await redis.zadd(key, {str(number): now})
    await redis.pexpire(key, window)
    await redis.pexpire(key + ":number", window)
    return True
"""

TRANSACTION = """
async def allow(redis, key, limit, window):
    seconds, micros = await redis.time()
    now = seconds * 1_000_000 + micros
    number = await redis.incr(key + ":number")
    async with redis.pipeline(transaction=True) as together:
        together.zremrangebyscore(key, 0, now - window * 1000)
        together.zadd(key, {str(number): now})
        together.zcard(key)
        together.pexpire(key, window)
        together.pexpire(key + ":number", window)
        _, _, count, _, _ = await together.execute()
    return count <= limit
"""

FIXED = '''
SCRIPT = """
local time = redis.call('TIME')
local window = math.floor((time[1] * 1000 + math.floor(time[2] / 1000)) / ARGV[2])
local key = KEYS[1] .. ':' .. window
local count = redis.call('INCR', key)
redis.call('PEXPIRE', key, ARGV[2])
return count
"""

async def allow(redis, key, limit, window):
    return await redis.eval(SCRIPT, 1, key, limit, window) <= limit
'''


def own_clock(clock: str) -> str:
    """Return the answer with the time of the process instead of Redis's."""
    server = "local time = redis.call('TIME')\nlocal now = time[1] * 1000000 + time[2]"
    call = "redis.eval(SCRIPT, 1, key, limit, window)"
    mine = f"redis.eval(SCRIPT, 1, key, limit, window, int({clock} * 1_000_000))"
    return "import asyncio\nimport time\n" + changed(
        ANSWER, (server, "local now = tonumber(ARGV[3])"), (call, mine)
    )


AS_MEMBERS = changed(
    ANSWER,
    ("redis.call('LINDEX', KEYS[1], 0)", "redis.call('ZRANGE', KEYS[1], 0, 0)[1]"),
    ("redis.call('LPOP', KEYS[1])", "redis.call('ZPOPMIN', KEYS[1])"),
    ("'LLEN'", "'ZCARD'"),
    (
        "redis.call('RPUSH', KEYS[1], string.format('%d', now))",
        "redis.call('ZADD', KEYS[1], now, string.format('%d', now))",
    ),
)
