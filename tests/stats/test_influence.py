"""Leaving one scan out in closed form: against statsmodels, and against fitting again without it."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from habena.stats import glm
from habena.stats.errors import CannotCompute
from habena.stats.influence import influence, influence_maps
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.stats.outliers_influence import OLSInfluence


def data(n: int = 20, v: int = 9, p: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(100, 3, (n, v)), np.hstack([np.ones((n, 1)), rng.normal(size=(n, p - 1))])


class TestOneVoxel:
    def test_measures_are_those_of_statsmodels(self) -> None:
        y, x = data()
        reference = OLSInfluence(sm.OLS(y[:, 0], x).fit())
        for column in range(3):
            found = influence(y[:, :1], x, np.eye(3)[column])
            assert_allclose(found.dfbetas[:, 0], reference.dfbetas[:, column], rtol=1e-8)
        assert_allclose(found.cook[:, 0], reference.cooks_distance[0], rtol=1e-8)
        assert_allclose(found.studentised[:, 0], reference.resid_studentized_external, rtol=1e-8)
        assert_allclose(found.leverage, reference.hat_matrix_diag, rtol=1e-8)

    @given(st.integers(1, 5), st.integers(2, 20), st.integers(0, 10**6))
    @settings(max_examples=30, deadline=None)
    def test_estimate_and_t_are_those_of_the_model_without_the_scan(self, p: int, spare: int, seed: int) -> None:
        y, x = data(p + spare, 3, p, seed)
        weights = np.random.default_rng(seed).normal(size=p)
        found = influence(y, x, weights)
        for i in range(len(y)):
            again = glm.test(glm.fit(np.delete(y, i, axis=0), np.delete(x, i, axis=0)), weights)
            assert_allclose(found.estimate[i], again.estimate, rtol=1e-6, atol=1e-7)
            assert_allclose(found.t[i], again.statistic, rtol=1e-5, atol=1e-6)

    def test_a_scan_that_alone_makes_up_a_column_cannot_be_left_out(self) -> None:
        y, x = data()
        x[:, 2] = np.arange(20) == 4
        found = influence(y, x, [0, 1, 0])
        for values in (found.estimate, found.t, found.dfbetas, found.cook, found.studentised):
            assert_array_equal(np.isnan(values).any(axis=1), np.arange(20) == 4)

    def test_a_scan_without_which_the_fit_is_perfect_has_no_t(self) -> None:
        x = np.column_stack([np.ones(6), np.arange(6.0)])
        y = x @ [[1.0], [2.0]]
        y[3] += 5
        found = influence(y, x, [0, 1])
        assert_allclose(found.estimate[3], 2)
        assert np.isnan(found.t[3, 0])
        assert np.isfinite(found.t[[0, 1, 2, 4, 5], 0]).all()

    def test_designs_that_lose_their_last_degree_of_freedom_are_refused(self) -> None:
        y, x = data(4)
        with pytest.raises(CannotCompute, match="4 scans and 3 columns leave nothing"):
            influence(y, x, [0, 1, 0])
        with pytest.raises(CannotCompute, match="2 weights, the model 3"):
            influence(*data(), [0, 1])
        with pytest.raises(CannotCompute, match="depend on each other"):
            influence(data()[0], np.ones((20, 2)), [0, 1])


class TestMaps:
    @given(st.sampled_from([1, 127, 128, 129, 3000]), st.booleans())
    @settings(max_examples=10, deadline=None)
    def test_the_worst_scan_of_every_voxel_is_that_of_the_full_table(self, v: int, single: bool) -> None:
        y, x = data(v=v)
        y = y.astype(np.float32) if single else y
        full, maps = influence(y, x, [0, 1, -1]), influence_maps(y, x, [0, 1, -1])
        assert_array_equal(maps.scan, np.abs(full.dfbetas).argmax(axis=0))
        assert_allclose(np.abs(maps.dfbetas), np.abs(full.dfbetas).max(axis=0), rtol=1e-9)
        assert_allclose(maps.cook, full.cook.max(axis=0), rtol=1e-9)
        assert_allclose([maps.lowest_t, maps.highest_t], [full.t.min(axis=0), full.t.max(axis=0)], rtol=1e-9)

    def test_a_planted_outlier_is_found_everywhere(self) -> None:
        y, x = data(v=500)
        y[7] += 60 * np.sign(x[7, 1])
        maps = influence_maps(y.astype(np.float32), x, [0, 1, 0])
        assert (maps.scan == 7).all()
        assert (maps.dfbetas > 0).all()

    def test_voxels_without_answer_are_nan_and_name_no_scan(self) -> None:
        y, x = data()
        y[:, 2] = 5
        y[3, 4] = np.nan
        y[3, 5] = np.inf
        maps = influence_maps(y, x, [0, 1, 0])
        assert_array_equal(np.flatnonzero(maps.scan < 0), [2, 4, 5])
        for values in maps[1:]:
            assert_array_equal(np.flatnonzero(np.isnan(values)), [2, 4, 5])

    def test_scans_that_cannot_be_left_out_do_not_count(self) -> None:
        y, x = data()
        x[:, 2] = np.arange(20) == 4
        maps = influence_maps(y, x, [0, 1, 0])
        assert (maps.scan != 4).all()
        assert np.isfinite(maps.highest_t).all()

    def test_work_can_be_cancelled(self) -> None:
        class Stop(Exception):
            pass

        def report(fraction: float) -> None:
            if fraction > 0.3:
                raise Stop

        y, x = data(v=60000)
        with pytest.raises(Stop):
            influence_maps(y.astype(np.float32), x, [0, 1, 0], report)
