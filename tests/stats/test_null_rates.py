"""A small part of ``python -m tests.null_rates``: noise is called an effect as often as promised, and no less."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from habena.stats.inference import Question, permutation_test
from habena.stats.permute import Shuffling
from scipy import stats

from tests.null_rates import AT_ONCE, DESIGNS, FAMILY_WISE, LEVEL, divided, false_discoveries, family_wise

RIGHT = [name for name in DESIGNS if "wrong" not in name and "G with" not in name]
EACH = 40
WITHIN = 0.999
SMOOTH = True


def test_the_family_wise_error_of_every_statistic_is_within_monte_carlo_error_of_five_percent():
    found = np.vstack([family_wise(name, 0, EACH, n_permutations=59, edge=6) for name in RIGHT])
    low, high = stats.binom.interval(WITHIN, len(found), LEVEL)
    hits = dict(zip(FAMILY_WISE, found.sum(axis=0), strict=True))
    assert len(found) == EACH * len(RIGHT) == 360
    assert all(low <= count <= high for count in hits.values()), f"{hits}, not {low:g} to {high:g} of {len(found)}"


def test_uncorrected_p_of_independent_noise_is_uniform():
    rng = np.random.default_rng(1)
    covariate = rng.standard_normal(18)
    design = np.column_stack([np.ones(18), np.arange(18) < 7, covariate])
    data = rng.standard_t(3, (18, 3000)) + 2 * covariate[:, None]
    found = permutation_test(Question(data, design, np.array([[0, 1, 0]]), Shuffling(18, n_permutations=499)))
    for level in (0.01, 0.05, 0.2, 0.5):
        low, high = stats.binom.interval(WITHIN, 3000, level)
        assert low <= np.sum(found.p.p <= level) <= high


def test_simulations_are_the_same_however_they_are_divided():
    simulate, n = partial(false_discoveries, SMOOTH, 1.5, edge=4), AT_ONCE + 3
    with ThreadPoolExecutor(2) as workers:
        np.testing.assert_array_equal(divided(simulate, n, workers), simulate(0, n))


@pytest.mark.parametrize("smooth", [False, True], ids=["independent", "smooth"])
@pytest.mark.parametrize("effect", [0.0, 1.5], ids=["no effects", "effects in a fifth"])
def test_the_false_discovery_rate_stays_under_its_level(smooth, effect):
    shares = false_discoveries(smooth, effect, 0, 120, edge=6)
    bound = LEVEL if effect == 0 else 0.8 * LEVEL
    assert shares.mean() <= bound + 3.3 * max(shares.std(ddof=1), 0.1) / np.sqrt(120)
    assert shares.max() > 0


def test_a_test_that_takes_the_wrong_variance_is_found_out():
    """The bounds can fail: pooled variance in groups of unequal variance calls noise an effect far too often."""
    wrong = next(name for name in DESIGNS if "same with pooled" in name)
    hits = family_wise(wrong, 0, EACH, n_permutations=59, edge=6)[:, 0].sum()
    assert hits > stats.binom.interval(WITHIN, EACH, LEVEL)[1]
