"""Caching: four strategies behind one interface, and what keeps them right, quick and small.

What a strategy is: interface.py. The stores: redis_cache.py, sql_database.py, redis_buffer.py.
The strategies: cache_aside.py, read_through.py, write_through.py, write_back.py. Without stale
sets: lease.py, versioned_keys.py. Without stampedes: single_flight.py, lease.py, expiry.py,
early_recompute.py, stale_while_revalidate.py. In the process: eviction.py, s3fifo.py,
local_cache.py, two_level.py, events.py. Over HTTP: conditional.py, http_cache.py. To learn from:
popular.py, che.py.
"""

from course_lib.systems.caching import popular
from course_lib.systems.caching.cache_aside import CacheAside
from course_lib.systems.caching.che import fifo_hit_ratio, lru_hit_ratio, zipf_weights
from course_lib.systems.caching.conditional import entity_tag, matches, respond
from course_lib.systems.caching.early_recompute import EarlyRecompute, is_due
from course_lib.systems.caching.events import ByPubSub, ByStream
from course_lib.systems.caching.eviction import FIFO, LRU, Eviction, hits
from course_lib.systems.caching.expiry import Jittered, jittered
from course_lib.systems.caching.http_cache import CachingTransport, is_fresh, may_store
from course_lib.systems.caching.interface import (
    Cache,
    Database,
    Found,
    Leased,
    LeasingCache,
    Strategy,
)
from course_lib.systems.caching.lease import LeasedCacheAside
from course_lib.systems.caching.local_cache import LocalCache
from course_lib.systems.caching.read_through import ReadThrough
from course_lib.systems.caching.redis_buffer import RedisBuffer
from course_lib.systems.caching.redis_cache import RedisCache
from course_lib.systems.caching.s3fifo import S3FIFO
from course_lib.systems.caching.single_flight import SingleFlight
from course_lib.systems.caching.sql_database import SqlDatabase
from course_lib.systems.caching.stale_while_revalidate import StaleWhileRevalidate
from course_lib.systems.caching.two_level import TwoLevel
from course_lib.systems.caching.versioned_keys import VersionedKeys
from course_lib.systems.caching.write_back import Batch, Buffer, WriteBack
from course_lib.systems.caching.write_through import WriteThrough

__all__ = [
    "FIFO",
    "LRU",
    "S3FIFO",
    "Batch",
    "Buffer",
    "ByPubSub",
    "ByStream",
    "Cache",
    "CacheAside",
    "CachingTransport",
    "Database",
    "EarlyRecompute",
    "Eviction",
    "Found",
    "Jittered",
    "Leased",
    "LeasedCacheAside",
    "LeasingCache",
    "LocalCache",
    "ReadThrough",
    "RedisBuffer",
    "RedisCache",
    "SingleFlight",
    "SqlDatabase",
    "StaleWhileRevalidate",
    "Strategy",
    "TwoLevel",
    "VersionedKeys",
    "WriteBack",
    "WriteThrough",
    "entity_tag",
    "fifo_hit_ratio",
    "hits",
    "is_due",
    "is_fresh",
    "jittered",
    "lru_hit_ratio",
    "matches",
    "may_store",
    "popular",
    "respond",
    "zipf_weights",
]
