"""The overlap of two maps and its permutation of whole people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from habena.app.problems import Problem
from habena.app.study.answering import answer
from habena.app.study.asking import Ask
from habena.app.study.overlap_shuffled import Shuffled
from habena.app.study.planning import plan
from habena.app.study.reading import read_study
from question_study import draw, near, write
from scipy import stats

from tests.study_null_rates import overlap_p


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home"))


def test_masks_are_those_of_the_two_sided_t_test_of_rearranged_residuals() -> None:
    rng = np.random.default_rng(0)
    values, age = rng.normal(size=(15, 40)), rng.normal(size=15)
    design = np.column_stack([np.ones(15), rng.normal(size=15), age])
    shuffled = Shuffled.of(values, design, np.array([[0.0, 1, 0]]), 0.2)
    order = rng.permutation(15)
    below, above = shuffled.masks(order[None])
    nuisance = design[:, [0, 2]]
    residuals = values - nuisance @ (np.linalg.pinv(nuisance) @ values)
    fits = [sm.OLS(column[order], design).fit() for column in residuals.T]
    t = np.array([fit.tvalues[1] for fit in fits])
    critical = stats.t.isf(0.1, 12)
    np.testing.assert_array_equal(below[0], t < -critical)
    np.testing.assert_array_equal(above[0], t > critical)


def _p_of_nothing(seed: int) -> float:
    """P of the overlap of two maps of people who share their first scans, without any effect."""
    return float(overlap_p(seed, 0, 0, n=39)[0])


def test_without_any_effect_the_overlap_is_significant_as_often_as_it_should_be() -> None:
    p = np.array([_p_of_nothing(seed) for seed in range(200)])
    low, high = stats.binom.ppf([0.001, 0.999], 200, 0.1)
    assert np.count_nonzero(p <= 0.1) <= high
    assert np.count_nonzero(p <= 0.5) >= stats.binom.ppf(0.001, 200, 0.4)
    assert low >= 0


def test_a_planted_overlap_is_found_where_it_is_and_its_sizes_are_counted(tmp_path: Path) -> None:
    made = draw(1)
    patients = len(made.scores)
    improvement = (made.scores["pre"] - made.scores["post"]).to_numpy(float)
    at = near(45, -61, 36, 20)
    for scans in (made.pre, made.post):
        scans[:patients, at] -= 0.4
    made.post[:patients, at] += 0.03 * (improvement - improvement.mean())[:, None] + 0.2
    folder = write(tmp_path / "s", made)
    found = answer(plan(read_study(folder), Ask(study=str(folder), kind="overlap", thresholds=(0.01, 0.01))))
    labels, grid = found.maps["overlap_low_plus"]
    assert labels[grid.voxel_at((44, -60, 34))] == 3
    assert labels[grid.voxel_at((-44, -60, 34))] == 0
    assert set(np.unique(labels[np.isfinite(labels)])) <= {0, 1, 2, 3}
    details = found.details["overlap"]
    both = np.count_nonzero(labels == 3)
    assert details["low_plus"]["both_mm3"] == pytest.approx(both * 512)
    assert details["low_plus"]["first_mm3"] == pytest.approx(512 * (both + np.count_nonzero(labels == 1)))
    assert details["low_plus"]["dice"] > 0.2
    assert details["p_permutation"] < 0.01
    of_each = [details[f"p_{name}"] for name in ("both_permuted", "given_groups", "given_change")]
    assert details["p_permutation"] == max(of_each)
    nearer, _ = found.maps["towards_healthy"]
    assert nearer[grid.voxel_at((44, -60, 34))] > 0.1
    assert found.maps["conjunction"][0][grid.voxel_at((44, -60, 34))] > 2
    shared = [each for each in found.findings if each.code == "shared-data"]
    assert len(shared) == 1
    assert float(shared[0].value) == 0  # a difference of groups and a slope within patients weigh people orthogonally
    assert {"regions_groups"} == set(found.tables)


def test_an_overlap_refuses_thresholds_and_arms_that_make_no_mask(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", draw(2))
    study = read_study(folder)
    for wrong in ({"thresholds": (0.05,)}, {"thresholds": (0.05, 0.9)}, {"arm": "interaction"}, {"baseline": True}):
        with pytest.raises(Problem):
            plan(study, Ask(study=str(folder), kind="overlap", **wrong))  # type: ignore[arg-type]
