"""Rate limiting: five algorithms, each a pure core and one atomic Redis script, and what is around.

What each answers: decision.py. The algorithms: fixed_window.py, sliding_log.py, sliding_counter.py,
token_bucket.py, gcra.py. Shared by all servers: redis_limiter.py; in one process: local_limiter.py;
when Redis is down: fallback.py. In front of an application: policy.py, address.py, headers.py,
middleware.py. To learn from: popular.py, worst_case.py, memory.py.
"""

from course_lib.systems.rate_limiting import popular
from course_lib.systems.rate_limiting.address import client_address
from course_lib.systems.rate_limiting.decision import Algorithm, Decision
from course_lib.systems.rate_limiting.fallback import FallbackLimiter, Outage, Ruling
from course_lib.systems.rate_limiting.fixed_window import FixedWindow
from course_lib.systems.rate_limiting.gcra import GCRA
from course_lib.systems.rate_limiting.local_limiter import LocalLimiter
from course_lib.systems.rate_limiting.memory import stored_bytes
from course_lib.systems.rate_limiting.middleware import RateLimitMiddleware
from course_lib.systems.rate_limiting.policy import Policy, Route, by_address, by_user
from course_lib.systems.rate_limiting.redis_limiter import RedisLimiter
from course_lib.systems.rate_limiting.sliding_counter import SlidingCounter
from course_lib.systems.rate_limiting.sliding_log import SlidingLog
from course_lib.systems.rate_limiting.token_bucket import TokenBucket
from course_lib.systems.rate_limiting.worst_case import Worst, bound, search

__all__ = [
    "GCRA",
    "Algorithm",
    "Decision",
    "FallbackLimiter",
    "FixedWindow",
    "LocalLimiter",
    "Outage",
    "Policy",
    "RateLimitMiddleware",
    "RedisLimiter",
    "Route",
    "Ruling",
    "SlidingCounter",
    "SlidingLog",
    "TokenBucket",
    "Worst",
    "bound",
    "by_address",
    "by_user",
    "client_address",
    "popular",
    "search",
    "stored_bytes",
]
