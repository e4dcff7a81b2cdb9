"""Eviction: each policy against a plain model, and hit ratios against Che's closed form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.lab import load
from course_lib.lab.published import entry
from course_lib.systems import caching

POLICIES = [caching.FIFO, caching.LRU, caching.S3FIFO]
every = pytest.mark.parametrize("policy", POLICIES)
keys = st.lists(st.integers(0, 12), max_size=80)
CHE = {"10k_100": (10_000, 100, 0.8), "10k_1k": (10_000, 1_000, 1.0), "1k_100": (1_000, 100, 1.0)}


class PlainList:
    """FIFO and LRU as one would explain them: a list, oldest first."""

    def __init__(self, size, moves):
        self.size, self.moves, self.held = size, moves, []

    def ask(self, key):
        """Whether it was there; afterwards it is."""
        there = key in self.held
        if there and self.moves:
            self.held.remove(key)
            self.held.append(key)
        if not there:
            self.held = [*self.held, key][-self.size :]
        return there


class PlainS3:
    """S3-FIFO after the paper's algorithm 1, with lists."""

    def __init__(self, size):
        self.small_size, self.size = max(1, size // 10), size
        self.small, self.main, self.ghost, self.freq = [], [], [], {}

    def ask(self, key):
        """Whether it was there; afterwards it is."""
        if key in self.freq:
            self.freq[key] = min(self.freq[key] + 1, 3)
            return True
        while len(self.freq) >= self.size:
            if len(self.small) >= self.small_size or not self.main:
                self.evict_small()
            else:
                self.evict_main()
        if key in self.ghost:
            self.ghost.remove(key)
            self.main.insert(0, key)
        else:
            self.small.insert(0, key)
        self.freq[key] = 0
        return False

    def evict_small(self):
        while self.small:
            tail = self.small.pop()
            if self.freq[tail] > 1:
                self.freq[tail] = 0
                self.main.insert(0, tail)
                if len(self.main) > self.size - self.small_size:
                    return self.evict_main()
            else:
                del self.freq[tail]
                self.ghost = [tail, *self.ghost][: max(1, self.size - self.small_size)]
                return None
        return None

    def evict_main(self):
        while self.main:
            tail = self.main.pop()
            if self.freq[tail] == 0:
                del self.freq[tail]
                return
            self.freq[tail] -= 1
            self.main.insert(0, tail)


MODELS = {
    caching.FIFO: lambda size: PlainList(size, moves=False),
    caching.LRU: lambda size: PlainList(size, moves=True),
    caching.S3FIFO: PlainS3,
}


@every
@given(keys, st.integers(1, 12))
def test_as_the_model(policy, keys, size):
    """Key for key, the policy hits when the plain model does."""
    cache, model = policy(size), MODELS[policy](size)
    for key in keys:
        assert (caching.hits(cache, [key]) == 1) == model.ask(key)


@every
@given(keys, st.integers(1, 8))
def test_size_and_values(policy, keys, size):
    """It never holds more than its size, and what it holds is what was put last."""
    cache, last = policy(size), {}
    for number, key in enumerate(keys):
        cache.put(key, number)
        last[key] = number
        assert len(cache) <= size
        assert cache.get(key) == number
    assert all(cache.get(key) in (None, value) for key, value in last.items())


@every
@given(keys, st.integers(1, 8), st.integers(0, 12))
def test_drop(policy, keys, size, gone):
    """A dropped key is a miss, the others are as they were, and dropping twice is fine."""
    cache = policy(size)
    caching.hits(cache, keys)
    held = {key for key in range(13) if cache.get(key) is not None}
    cache.drop(gone)
    cache.drop(gone)
    assert {key for key in range(13) if cache.get(key) is not None} == held - {gone}
    assert len(cache) == len(held - {gone})
    caching.hits(cache, range(20))


@every
def test_at_least_one(policy):
    """A cache of nothing is refused."""
    with pytest.raises(ValueError, match="at least 1"):
        policy(0)


@pytest.mark.parametrize("name", CHE)
def test_published_numbers_are_computed(name):
    """The six numbers on file are what the closed form gives, to four places."""
    number, size, skew = CHE[name]
    weights = caching.zipf_weights(number, skew)
    assert round(caching.lru_hit_ratio(weights, size), 4) == entry(f"caching.che_lru_{name}").value
    assert (
        round(caching.fifo_hit_ratio(weights, size), 4) == entry(f"caching.che_fifo_{name}").value
    )


@pytest.mark.parametrize(
    ("policy", "form"),
    [(caching.LRU, caching.lru_hit_ratio), (caching.FIFO, caching.fifo_hit_ratio)],
)
@pytest.mark.parametrize("name", CHE)
def test_measured_is_within_half_a_percent(policy, form, name):
    """A simulated cache hits as often as the closed form says, within .005."""
    number, size, skew = CHE[name]
    asked, cache = load.zipf(number, skew, seed=5).take(200_000), policy(size)
    caching.hits(cache, asked[:50_000])
    measured = caching.hits(cache, asked[50_000:]) / 150_000
    assert measured == pytest.approx(form(caching.zipf_weights(number, skew), size), abs=0.005)


@given(st.integers(2, 40), st.floats(0, 2), st.integers(1, 39))
def test_lru_beats_fifo(number, skew, size):
    """For independent requests LRU never hits less than FIFO, and both hit more with more room."""
    weights = caching.zipf_weights(number, skew)
    lru, fifo = caching.lru_hit_ratio(weights, size), caching.fifo_hit_ratio(weights, size)
    assert 0 < fifo <= lru + 1e-6 <= 1 + 2e-6
    assert caching.lru_hit_ratio(weights, size + 1) >= lru - 1e-6


def test_all_alike():
    """Without favourites a cache hits as often as it is large."""
    weights = caching.zipf_weights(100, 0.0)
    assert caching.lru_hit_ratio(weights, 30) == pytest.approx(0.3, abs=1e-6)
    assert caching.lru_hit_ratio(weights, 100) == 1.0


def test_s3fifo_and_lru():
    """S3-FIFO hits more on popularity that stays, LRU on favourites that change."""
    stays = load.zipf(500, 1.0, seed=3).take(20_000)
    changes = [key + 500 * (n // 200) for n, key in enumerate(stays)]
    for asked, better in ((stays, caching.S3FIFO), (changes, caching.LRU)):
        found = {policy: caching.hits(policy(50), asked) for policy in POLICIES}
        assert max(found, key=found.get) is better
