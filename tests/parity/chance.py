"""Chance that is the same everywhere: all draws come from one stream of numbers that only the seed decides."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws by a seed. Only ``random.Random.random`` is asked, whose numbers no version of Python changes."""

    def __init__(self, seed: int) -> None:
        self._numbers = random.Random(seed)

    def happens(self, probability: float) -> bool:
        return self._numbers.random() < probability

    def below(self, end: int) -> int:
        """A number from 0 to ``end - 1``."""
        return int(self._numbers.random() * end)

    def between(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)

    def one(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, each as often as its weight says."""
        rest = self._numbers.random() * sum(weights.values())
        for item, weight in weights.items():
            rest -= weight
            if rest < 0:
                return item
        return list(weights)[-1]

    def some(self, items: Sequence[T], most: int) -> list[T]:
        """Up to ``most`` different ones, in the order of ``items``."""
        rest = list(items)
        chosen = [rest.pop(self.below(len(rest))) for _ in range(min(self.between(0, most), len(rest)))]
        return [item for item in items if item in chosen]
