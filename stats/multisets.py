"""Distinct orders of things of which some are alike: how many, and the one at a place of the sorted list."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from .arrays import Int64


def count_orders(labels: Int64) -> int:
    """Distinct orders of labels: the multinomial coefficient n! / (m1! m2! ...)."""
    return _orders(Counter(labels.tolist()))


def rank_of(labels: Int64) -> int:
    """Place of this order, from 0, in the sorted list of all distinct ones."""
    left, rank = Counter(labels.tolist()), 0
    for label in labels.tolist():
        rank += sum(_orders(left - Counter([smaller])) for smaller in left if smaller < label)
        left -= Counter([label])
    return rank


def order_at(labels: Int64, rank: int) -> Int64:
    """The order at a place: which of the given things stands at each position.

    Parameters
    ----------
    labels : (n,) int64
    rank : int
        From 0 to ``count_orders(labels) - 1``; ``rank_of(labels)`` gives ``arange(n)``.

    Returns
    -------
    (n,) int64
        A permutation; things that are alike keep their order.
    """
    left, found = Counter(labels.tolist()), [0] * 0
    for _ in range(len(labels)):
        for label in sorted(left):
            orders = _orders(left - Counter([label]))
            if rank < orders:
                found.append(label)
                left -= Counter([label])
                break
            rank -= orders
    taken = np.empty(len(labels), np.int64)
    taken[np.argsort(np.array(found, np.int64), kind="stable")] = np.argsort(labels, kind="stable")
    return taken


def _orders(left: Counter[int]) -> int:
    return math.factorial(left.total()) // math.prod(math.factorial(n) for n in left.values())
