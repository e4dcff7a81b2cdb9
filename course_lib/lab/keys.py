"""Keys: which key a request asks for, when some keys are far more popular than others.

Left out: popularity that moves with time. Source: Zipf's law, weight 1 / rank ** s over a finite
number of keys.
"""

import bisect
import itertools
import math
import random

from course_lib.lab.checks import check_count

__all__ = ["Zipf", "zipf"]


class Zipf:
    """A sampler of keys 0 to n-1, where key k comes with a weight of 1 / (k + 1) ** s.

    >>> keys = Zipf(3, 1.0, seed=1)
    >>> round(keys.probability(0), 4)
    0.5455
    """

    def __init__(self, n: int, s: float, seed: int) -> None:
        check_count("n", n)
        if not (math.isfinite(s) and s >= 0):
            raise ValueError(f"The skew s must be 0 (all keys alike) or more: {s}.")
        self.n, self.s, self.seed = n, s, seed
        self._sums = list(itertools.accumulate((k + 1) ** -s for k in range(n)))
        self._random = random.Random(seed)

    def __call__(self) -> int:
        """Draw the next key."""
        return bisect.bisect(self._sums, self._random.random() * self._sums[-1], 0, self.n - 1)

    def take(self, count: int) -> list[int]:
        """Draw `count` keys."""
        return [self() for _ in range(count)]

    def probability(self, key: int) -> float:
        """How likely `key` is, between 0 and 1."""
        return float((key + 1) ** -self.s / self._sums[-1])

    def __repr__(self) -> str:
        return f"Zipf(n={self.n}, s={self.s}, seed={self.seed})"


def zipf(n: int, s: float, seed: int) -> Zipf:
    """A sampler of `n` keys with skew `s`: call it for a key, 0 being the most popular.

    >>> zipf(1000, 1.0, seed=12).take(5)
    [19, 76, 81, 1, 0]
    """
    return Zipf(n, s, seed)
