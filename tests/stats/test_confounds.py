"""One projection: against least squares, against leaving volumes out, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from habena.stats.confounds import Design, Nuisance, design
from habena.stats.errors import CannotCompute
from habena.stats.prepare import project_out, series_rows
from habena.stats.rows import compact_rows, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.signal import clean
from numpy.testing import assert_allclose, assert_array_equal

T = 120
TR_S = 2.0


def bold(v: int = 40, t: int = T, seed: int = 0) -> np.ndarray:
    """Rows with a large mean, a drift and noise."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, t)
    return (800 + 40 * rng.standard_normal((v, 1)) * time + 5 * rng.standard_normal((v, t))).astype(np.float32)


def confounds(k: int = 5, t: int = T, seed: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).standard_normal((t, k)), axis=0)


def plain_regressors(nuisance: Nuisance) -> np.ndarray:
    """The same regressors, written down directly: powers of time, all frequencies outside, spikes."""
    n = nuisance.n_volumes
    time = np.arange(n) / n
    columns = [time**p for p in range(nuisance.polynomial + 1)]
    if nuisance.band_hz:
        for k in range(1, n // 2 + 1):
            hz = k / (n * nuisance.tr_s)
            if hz < nuisance.band_hz[0] - 1e-12 or hz > nuisance.band_hz[1] + 1e-12:
                columns += [np.cos(2 * np.pi * k * np.arange(n) / n)]
                columns += [np.sin(2 * np.pi * k * np.arange(n) / n)] if 2 * k < n else []
    if nuisance.confounds is not None:
        columns += list(nuisance.confounds.T)
    if nuisance.censored is not None:
        columns += list(np.eye(n)[nuisance.censored])
    return np.array(columns).T


def least_squares_residuals(rows: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    x = plain_regressors(nuisance)
    x = x / np.linalg.norm(x, axis=0).clip(1e-9)
    y = rows.astype(np.float64).T
    return (y - x @ np.linalg.lstsq(x, y, rcond=1e-10)[0]).T


def names(k: int) -> tuple[str, ...]:
    return tuple(f"c{i}" for i in range(k))


CENSORED = np.isin(np.arange(T), [0, 7, 8, 50, 119])
CASES = {
    "mean": Nuisance(T),
    "cubic": Nuisance(T, polynomial=3),
    "band": Nuisance(T, 2, (0.01, 0.1), TR_S),
    "high-pass": Nuisance(T, 0, (0.009, np.inf), TR_S),
    "low-pass": Nuisance(T, 1, (0, 0.08), TR_S),
    "confounds": Nuisance(T, 1, confounds=confounds(), names=names(5)),
    "censored": Nuisance(T, 2, censored=CENSORED),
    "everything": Nuisance(T, 2, (0.01, 0.1), TR_S, confounds(), names(5), CENSORED),
    "odd number of volumes": Nuisance(T - 1, 1, (0.02, 0.2), TR_S),
}


@pytest.mark.parametrize("nuisance", CASES.values(), ids=CASES.keys())
class TestEveryDesign:
    def test_residuals_are_those_of_least_squares(self, nuisance: Nuisance) -> None:
        rows = bold(t=nuisance.n_volumes)
        expected = least_squares_residuals(rows, nuisance)
        residuals = project_out(rows, design(nuisance))
        assert residuals.dtype == np.float32
        assert_allclose(residuals, expected, atol=1e-5 * np.abs(expected).max())

    def test_lost_degrees_of_freedom_are_the_rank(self, nuisance: Nuisance) -> None:
        built = design(nuisance)
        x = plain_regressors(nuisance)
        assert built.rank == np.linalg.matrix_rank(x / np.linalg.norm(x, axis=0).clip(1e-9), tol=1e-9)
        assert built.rank + built.residual_df == nuisance.n_volumes

    def test_bases_are_orthonormal_and_apart(self, nuisance: Nuisance) -> None:
        built = design(nuisance)
        both = np.hstack([built.basis, built.complement])
        assert_allclose(both.T @ both, np.eye(both.shape[1]), atol=1e-10)
        assert not both[~built.kept].any()

    def test_compact_rows_have_the_same_products(self, nuisance: Nuisance) -> None:
        rows, built = bold(t=nuisance.n_volumes), design(nuisance)
        full, compact = unit_rows(project_out(rows, built)), compact_rows(rows, built)
        assert compact.unit.shape[1] == built.residual_df
        assert_allclose(compact.unit @ compact.unit.T, full.unit @ full.unit.T, atol=2e-6)
        assert_allclose(compact.series(3), full.series(3), atol=1e-4)


def test_a_censored_volume_has_exactly_no_residual() -> None:
    rows = bold()
    rows[:, CENSORED] += 1e6  # what it holds does not matter
    residuals = project_out(rows, design(CASES["everything"]))
    assert not residuals[:, CENSORED].any()
    assert (np.abs(residuals[:, ~CENSORED]).max(axis=1) > 0.1).all()


def test_what_a_censored_volume_holds_changes_nothing_even_nan() -> None:
    rows = bold()
    nan = rows.copy()
    nan[:, CENSORED] = np.nan
    built = design(CASES["censored"])
    assert_array_equal(project_out(nan, built), project_out(rows, built))


def test_correlations_are_those_of_the_kept_volumes_alone() -> None:
    rows, given_ = bold(), confounds()
    built = design(Nuisance(T, 2, None, None, given_, names(5), CENSORED))
    unit = unit_rows(project_out(rows, built)).unit
    # by hand: delete the volumes, then regress powers of the kept times and the confounds
    kept = ~CENSORED
    x = np.column_stack([np.arange(T)[kept, None] ** np.arange(3), given_[kept]])
    y = rows[:, kept].astype(np.float64).T
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert_allclose(unit @ unit.T, np.corrcoef(residual.T), atol=1e-5)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("censored", [None, CENSORED], ids=["all volumes", "censored"])
def test_a_line_and_confounds_removed_as_nilearn_does(censored: np.ndarray | None) -> None:
    rows, table = bold(), confounds()
    kept = np.ones(T, bool) if censored is None else ~censored
    residuals = project_out(rows, design(Nuisance(T, 1, None, None, table, names(5), censored)))
    expected = clean(
        rows.T.astype(np.float64)[kept],
        confounds=np.column_stack([table, np.arange(T)])[kept],  # the line of all volumes, as a confound
        detrend=False,
        standardize=False,
        standardize_confounds=True,
    )
    expected = expected - expected.mean(axis=0)
    assert_allclose(residuals[:, kept], expected.T, atol=1e-4)


class TestBand:
    def test_edges_are_inside(self) -> None:
        # 200 volumes at 1.5 s: multiples of 1/300 Hz, so that 0.01 and 0.1 are k = 3 and k = 30
        built = design(Nuisance(200, 0, (0.01, 0.1), 1.5))
        assert built.residual_df == 2 * 28

    def test_a_cosine_in_the_band_stays_and_one_outside_goes(self) -> None:
        time = np.arange(T)
        inside, outside = (np.cos(2 * np.pi * k * time / T + 1) for k in (10, 40))
        rows = np.array([100 + inside, 100 + inside + 3 * outside], np.float32)
        residuals = project_out(rows, design(Nuisance(T, 0, (0.01, 0.1), TR_S)))
        assert_allclose(residuals, [inside, inside], atol=1e-5)

    def test_the_mean_is_not_counted_twice(self) -> None:
        assert design(Nuisance(T, 0, (0.0, 0.1), TR_S)).rank == 1 + 2 * (60 - 24) - 1  # Nyquist has a cosine only

    @pytest.mark.parametrize(
        ("band", "tr_s", "what"),
        [
            ((0.1, 0.01), 2.0, "not a band"),
            ((-0.1, 0.1), 2.0, "not a band"),
            ((np.nan, 0.1), 2.0, "not a band"),
            ((0.01, 0.1), None, "time between volumes"),
            ((0.01, 0.1), 0.0, "time between volumes"),
            ((0.01, 0.0101), 2.0, "none of the run's frequencies"),
            ((0.3, 0.4), 2.0, "none of the run's frequencies"),
        ],
    )
    def test_what_is_no_band_is_refused(self, band: tuple[float, float], tr_s: float | None, what: str) -> None:
        with pytest.raises(CannotCompute, match=what):
            design(Nuisance(T, 0, band, tr_s))


class TestConfounds:
    def build(self, table: np.ndarray, **other: object) -> Design:
        return design(Nuisance(len(table), confounds=table, names=names(table.shape[1]), **other))

    def test_collinear_ones_are_named_and_cost_nothing(self) -> None:
        table = confounds(3)
        table = np.column_stack([table, np.full(T, 7.0), 1e4 + 2 * table[:, 0] - table[:, 1]])
        built = self.build(table)
        assert built.rank == 1 + 3
        assert len(built.collinear) == 2
        assert "c3" in built.collinear

    def test_a_small_variation_on_a_large_mean_is_no_collinearity(self) -> None:
        table = 1e5 + 1e-2 * confounds(2)
        assert self.build(table).collinear == ()

    def test_an_empty_first_value_becomes_the_second_and_is_said(self) -> None:
        table = confounds(3)
        filled = table.copy()
        filled[0, 1] = filled[1, 1]
        table[0, 1] = np.nan
        built = self.build(table)
        assert built.filled == ("c1",)
        assert_allclose(built.basis @ built.basis.T, self.build(filled).basis @ self.build(filled).basis.T, atol=1e-12)

    @pytest.mark.parametrize("rows", [[5], [0, 1], [119]])
    def test_other_empty_values_are_refused_by_column_and_volume(self, rows: list[int]) -> None:
        table = confounds(3)
        table[rows, 2] = np.nan
        with pytest.raises(CannotCompute, match=f"confound c2 has no number at volume {rows[0] + 1}"):
            self.build(table)

    def test_empty_values_at_censored_volumes_do_not_matter(self) -> None:
        table = confounds(3)
        table[CENSORED] = np.inf
        built = self.build(table, censored=CENSORED)
        assert built.filled == ()
        assert built.rank == 4 + CENSORED.sum()

    @pytest.mark.parametrize("table", [confounds(3, T - 1), confounds(3).T])
    def test_a_table_of_another_length_is_refused(self, table: np.ndarray) -> None:
        with pytest.raises(CannotCompute, match="volumes"):
            design(Nuisance(T, confounds=table, names=names(3)))

    def test_names_without_columns_are_refused(self) -> None:
        with pytest.raises(CannotCompute, match="none is given"):
            design(Nuisance(T, names=("csf",)))


class TestNothingRemains:
    def test_too_many_regressors_are_refused_with_the_count(self) -> None:
        with pytest.raises(CannotCompute, match="30 independent regressors leave no degree of freedom of 30 volumes"):
            design(Nuisance(30, 0, confounds=confounds(40, 30), names=names(40)))

    def test_censoring_is_counted_and_the_remedy_names_what_was_asked(self) -> None:
        censored = np.arange(T) < 60
        with pytest.raises(CannotCompute, match=r"60 censored .* widen the band, censor fewer volumes"):
            design(Nuisance(T, 0, (0.01, 0.05), TR_S, censored=censored))

    def test_one_degree_of_freedom_is_enough(self) -> None:
        assert design(Nuisance(30, 0, confounds=confounds(28, 30), names=names(28))).residual_df == 1

    def test_all_censored(self) -> None:
        with pytest.raises(CannotCompute, match="every volume is censored"):
            design(Nuisance(T, censored=np.ones(T, bool)))

    def test_a_mask_of_another_length(self) -> None:
        with pytest.raises(CannotCompute, match="119 volumes"):
            design(Nuisance(T, censored=np.zeros(T - 1, bool)))

    def test_a_negative_order(self) -> None:
        with pytest.raises(CannotCompute, match="no order -1"):
            design(Nuisance(T, polynomial=-1))


class TestProjectOut:
    def test_a_row_that_is_fully_explained_becomes_exactly_zero(self) -> None:
        rows = bold(3)
        rows[1] = 1234.567
        rows[2] = np.linspace(900, 1000, T)
        residuals = project_out(rows, design(Nuisance(T, 1)))
        assert not residuals[1].any()
        assert np.abs(residuals[2]).max() < 1e-3  # a line, to single precision
        assert residuals[0].any()

    def test_a_row_with_nan_is_nan_and_leaves_the_others_alone(self) -> None:
        rows = bold(3)
        expected = project_out(rows, design(Nuisance(T)))
        rows[1, 5] = np.nan
        residuals = project_out(rows, design(Nuisance(T)))
        assert np.isnan(residuals[1]).all()
        assert_allclose(residuals[[0, 2]], expected[[0, 2]])

    def test_it_can_write_over_its_input_and_reports_to_the_end(self) -> None:
        rows = bold(50_000 // 2)
        expected = project_out(rows, design(Nuisance(T, 2)))
        seen: list[float] = []
        assert project_out(rows, design(Nuisance(T, 2)), out=rows, report=seen.append) is rows
        assert_array_equal(rows, expected)
        assert seen == sorted(seen)
        assert len(seen) > 1
        assert seen[-1] == 1

    def test_cancelling_comes_through(self) -> None:
        def stop(_: float) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            project_out(bold(), design(Nuisance(T)), report=stop)

    def test_another_number_of_volumes_is_refused(self) -> None:
        with pytest.raises(CannotCompute, match="120 volumes, the design 119"):
            project_out(bold(), design(Nuisance(T - 1)))

    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 10_000), order=st.integers(0, 4), k=st.integers(0, 8), share=st.floats(0, 0.3))
    def test_any_design_leaves_what_least_squares_leaves(self, seed: int, order: int, k: int, share: float) -> None:
        t = 60
        censored = np.random.default_rng(seed).random(t) < share
        nuisance = Nuisance(t, order, None, None, confounds(k, t, seed), names(k), censored)
        rows = bold(6, t, seed)
        expected = least_squares_residuals(rows, nuisance)
        assert_allclose(project_out(rows, design(nuisance)), expected, atol=2e-5 * np.abs(expected).max())


class TestSeriesRows:
    frames = np.random.default_rng(2).standard_normal((37, 3, 4, 5)).astype(np.float32)
    voxels = np.array([0, 7, 11, 59])

    def test_rows_are_the_series_of_voxels_counted_x_fastest(self) -> None:
        rows = series_rows(iter(self.frames), 37, self.voxels)
        i, j, k = self.voxels % 3, self.voxels // 3 % 4, self.voxels // 12
        assert_array_equal(rows, self.frames[:, i, j, k].T)

    def test_memory_order_of_frames_does_not_matter(self) -> None:
        ordered = [np.asfortranarray(frame) for frame in self.frames]
        assert_array_equal(series_rows(ordered, 37, self.voxels), series_rows(self.frames, 37, self.voxels))

    @pytest.mark.parametrize("announced", [36, 38])
    def test_another_number_of_frames_is_refused(self, announced: int) -> None:
        with pytest.raises(CannotCompute, match=f"the {announced} frames announced"):
            series_rows(iter(self.frames), announced, self.voxels)
