"""Family-wise error over several tests of the same rearranged data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Float64
from .errors import CannotCompute
from .freedman_lane import signed_root
from .inference import TOLERANCE_MEASURE, PermutationTest
from .perm_counts import STATISTIC, Counts, Estimate, corrected


def across_tests(counted: Sequence[tuple[PermutationTest, Counts]], name: str = STATISTIC) -> tuple[Estimate, ...]:
    """P-values corrected over the elements of all tests, by the largest value over all of them.

    Tests of one scale (the same statistic and degrees of freedom) are compared as they are, unlike ones by their
    parametric p.

    Parameters
    ----------
    counted : sequence of (PermutationTest, Counts)
        Of the same arrangements: one seed, one kind, one number of rows.
    name : str
        The statistic, or a measure that all tests have.

    Returns
    -------
    tuple of Estimate
        For each test, of the shape of what is compared.

    Raises
    ------
    CannotCompute
        When the tests were not counted over the same arrangements, or cannot be compared.
    """
    shufflings = [test.shuffling for test, _ in counted]
    first = shufflings[0].arrangement(1)
    if (
        len({(s.seed, s.kind, s.n, s.n_distinct, s.count) for s in shufflings}) != 1
        or any(not np.array_equal(counts.done, counted[0][1].done) for _, counts in counted)
        or any(not all(map(np.array_equal, s.arrangement(1), first)) for s in shufflings)
    ):
        raise CannotCompute("the tests were not counted over the same arrangements", "give them one seed and design")
    by_p = name == STATISTIC and len({(test.scale, test.two_sided) for test, _ in counted}) > 1
    values, largest = zip(*(_comparable(test, counts, name, by_p=by_p) for test, counts in counted), strict=True)
    most = np.maximum.reduce(largest)
    complete = shufflings[0].exhaustive and most.size == shufflings[0].count
    tolerance = TOLERANCE_MEASURE if name != STATISTIC else max(test.tolerance for test, _ in counted)
    return tuple(corrected(value, most, tolerance, complete=complete) for value in values)


def _comparable(test: PermutationTest, counts: Counts, name: str, *, by_p: bool) -> tuple[Float64, Float64]:
    value, largest = test.observed(name), counts.largest[name]
    if by_p:
        return -test.scale.log_p(value, two_sided=test.two_sided), -test.scale.log_p(largest, two_sided=test.two_sided)
    return (signed_root(value), signed_root(largest)) if name == STATISTIC else (value, largest)
