"""A small part of ``python -m tests.study_null_rates``: noise is called an effect as often as promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.study_null_rates import LEVEL, QUESTIONS, any_region, crossover_p, graph_p, overlap_p, prediction, questions

EACH = 20
WITHIN = 0.999


def test_named_regions_graphs_and_crossovers_keep_their_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("habena.app.study.region_rows.LEAST_PERMUTATIONS", 59)
    made = questions(tmp_path / "study")
    found = {name: sum(any_region(fit, k) for k in range(EACH)) for name, fit in made.items()}
    found["graph"] = sum(graph_p(k) <= LEVEL for k in range(EACH))
    found["crossover"] = sum(crossover_p(k)[1] <= LEVEL for k in range(EACH))
    low, high = stats.binom.interval(WITHIN, EACH * len(found), LEVEL)
    assert len(found) == len(QUESTIONS) + 2
    assert low <= sum(found.values()) <= high, found
    assert all(hits <= stats.binom.ppf(0.9999, EACH, LEVEL) for hits in found.values()), found


@pytest.mark.parametrize("effects", [(0.0, 0.0), (1.5, 0.0), (0.0, 1.5)], ids=["none", "groups", "change"])
def test_an_overlap_keeps_its_level_even_where_one_map_has_an_effect(effects: tuple[float, float]) -> None:
    p = np.array([overlap_p(k, *effects, n=39) for k in range(60)])
    assert np.count_nonzero(p.max(axis=1) <= 0.1) <= stats.binom.ppf(0.9999, 60, 0.1)
    if any(effects):  # what the largest of three is for: permuting both maps alone would find an overlap
        assert np.count_nonzero(p[:, 0] <= 0.1) > stats.binom.ppf(0.9999, 60, 0.1)


def test_an_overlap_of_two_effects_is_found() -> None:
    p = np.array([overlap_p(k, 1.5, -1.5, n=39) for k in range(20)])
    assert np.count_nonzero(p.max(axis=1) <= 0.1) >= 15


def test_predictions_of_a_score_that_follows_a_covariate_keep_their_level() -> None:
    p = np.array([prediction(k, n=9) for k in range(30)])
    assert np.count_nonzero(p <= 0.1) <= stats.binom.ppf(0.9999, 30, 0.1)
    assert np.median(p) > 0.2
