"""Voxelwise degree and thresholds against all correlations at once, in plain NumPy."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from habena.stats import ordered, voxel_density, voxel_edges
from habena.stats.arrays import read_only
from habena.stats.blas import one_thread_each
from habena.stats.errors import CannotCompute
from habena.stats.ordered import Step, in_order
from habena.stats.rows import UnitRows, unit_rows
from habena.stats.voxel_degree import degree, degree_bytes
from habena.stats.voxel_density import at_density, density_bytes
from habena.stats.voxel_edges import Cut, EdgeRule, Tile, at_least, each_strip, usable
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_info

RULES: tuple[EdgeRule, ...] = ("positive", "absolute", "signed")


def series(v: int, t: int = 40, seed: int = 0, *, odd: bool = True) -> np.ndarray:
    """Rows that share a few courses; some are the same, constant or not finite."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((v, 3)) @ rng.standard_normal((3, t)) + 1.5 * rng.standard_normal((v, t))
    if odd and v > 12:
        rows[9], rows[10] = rows[8], -rows[8]
        rows[3], rows[7, 2], rows[11, 0] = 5.5, np.nan, np.inf
    return rows.astype(np.float32)


def ties(v: int, seed: int = 0) -> UnitRows:
    """Unit rows of 4 times -1/2 or 1/2: correlations are -1, -1/2, 0, 1/2 and 1, without rounding."""
    unit = np.random.default_rng(seed).choice(np.array([-0.5, 0.5], np.float32), (v, 4))
    return UnitRows(read_only(unit), read_only(np.ones(v, np.float32)), read_only(np.ones(v, bool)))


def correlations(rows: UnitRows) -> np.ndarray:
    """All of them, without the diagonal; tile by tile, as the program has them rounded."""
    unit = usable(rows)
    r = np.zeros((len(unit), len(unit)), np.float32)

    def look(tiles) -> None:
        for tile in tiles:
            m, n = tile.r.shape
            r[tile.row : tile.row + m, tile.column : tile.column + n] = np.nan_to_num(tile.r)

    each_strip(unit, look, lambda _: None)
    return r + r.T


def kept(r: np.ndarray, cut: Cut) -> np.ndarray:
    """The graph of a cut as a mask."""
    mask = (r if cut.rule == "positive" else np.abs(r)) >= cut.least
    np.fill_diagonal(mask, val=False)
    i, j = cut.tied.T
    mask[i, j] = mask[j, i] = True
    return mask


def plain_degree(r: np.ndarray, mask: np.ndarray, rule: EdgeRule, *, weighted: bool) -> np.ndarray:
    x = r.astype(np.float64)
    if rule == "absolute":
        x = np.abs(x)
    if not weighted:
        x = np.sign(x) if rule == "signed" else np.ones_like(x)
    return (mask * x).sum(axis=1)


def test_tiles_hold_the_correlations_of_every_pair_once() -> None:
    rows = unit_rows(series(2700))
    unit = usable(rows)
    assert len(unit) == 2697
    expected = unit.astype(np.float64) @ unit.T.astype(np.float64)
    np.fill_diagonal(expected, 0)
    assert_allclose(correlations(rows), expected, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("threshold", [0.25, 0.0, 0.9999999, 1.0])
@pytest.mark.parametrize("v", [2, 13, 256, 257, 1537])
def test_degree_is_that_of_the_whole_matrix(v: int, threshold: float, rule: EdgeRule) -> None:
    rows = unit_rows(series(v))
    r, cut = correlations(rows), at_least(threshold, rule)
    mask = kept(r, cut)
    binary, weighted = degree(rows, cut), degree(rows, cut, weighted=True)
    assert_array_equal(binary.values[rows.valid], plain_degree(r, mask, rule, weighted=False))
    assert_allclose(
        weighted.values[rows.valid], plain_degree(r, mask, rule, weighted=True), atol=1e-6 * max(9, v), rtol=1e-6
    )
    assert binary.n_edges == weighted.n_edges == mask.sum() // 2
    assert_array_equal(np.isnan(binary.values), ~rows.valid)


@pytest.mark.parametrize("rule", RULES)
def test_a_threshold_of_a_half_keeps_what_is_exactly_a_half(rule: EdgeRule) -> None:
    rows = ties(300)
    r = rows.unit @ rows.unit.T
    np.fill_diagonal(r, 0)
    for threshold in (0.5, 0.5 + 1e-12):
        mask = (r if rule == "positive" else np.abs(r)).astype(np.float64) >= threshold
        found = degree(rows, at_least(threshold, rule))
        assert_array_equal(found.values, plain_degree(r, mask, rule, weighted=False))


def test_a_threshold_of_minus_one_keeps_pairs_that_rounding_has_beyond_it() -> None:
    one = np.random.default_rng(0).standard_normal((40, 7))
    rows = unit_rows(np.concatenate([one, -one]).astype(np.float32))
    assert correlations(rows).min() < -1
    for weighted in (False, True):
        assert degree(rows, at_least(-1, "positive"), weighted=weighted).n_edges == 80 * 79 // 2
    assert_array_equal(degree(rows, at_least(-1, "positive")).values, 79)


def test_a_threshold_between_two_float32_numbers_is_not_rounded_down() -> None:
    cut = at_least(0.1 + 1e-9, "positive")
    assert float(cut.least) >= 0.1 + 1e-9
    assert float(np.nextafter(cut.least, np.float32(0))) < 0.1 + 1e-9


@pytest.mark.parametrize("threshold", [-1.0, -0.3])
def test_negative_thresholds_sum_negative_correlations_too(threshold: float) -> None:
    rows = unit_rows(series(700))
    r = correlations(rows)
    mask = r >= threshold
    np.fill_diagonal(mask, val=False)
    found = degree(rows, at_least(threshold, "positive"), weighted=True)
    assert_allclose(found.values[rows.valid], (mask * r.astype(float)).sum(axis=1), atol=1e-4)
    assert found.n_edges == mask.sum() // 2


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("density", [0.001, 0.1, 0.37, 0.8, 1.0])
def test_a_density_keeps_exactly_the_largest(density: float, rule: EdgeRule) -> None:
    rows = unit_rows(series(1300))
    r = correlations(rows)
    cut = at_density(usable(rows), density, rule)
    check_selection(r, cut, density)
    binary = degree(rows, cut)
    assert binary.n_edges == round(density * r.shape[0] * (r.shape[0] - 1) / 2)
    assert_array_equal(binary.values[rows.valid], plain_degree(r, kept(r, cut), rule, weighted=False))


def check_selection(r: np.ndarray, cut: Cut, density: float) -> None:
    """The edges of a cut are those of a sort: by value, then row by row."""
    i, j = np.triu_indices(len(r), 1)
    value = (r if cut.rule == "positive" else np.abs(r))[i, j]
    order = np.lexsort((j, i, -value))[: int(np.floor(density * len(i) + 0.5))]
    expected = np.zeros(r.shape, bool)
    expected[i[order], j[order]] = True
    assert_array_equal(kept(r, cut), expected | expected.T)
    assert cut.threshold == value[order].min()
    assert cut.ties == (value == cut.threshold).sum()


@settings(deadline=None, max_examples=40)
@given(
    v=st.integers(3, 400),
    density=st.floats(0.34, 1),
    rule=st.sampled_from(RULES),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_ties_at_the_cut_are_broken_row_by_row(
    v: int, density: float, rule: EdgeRule, weighted: bool, seed: int
) -> None:
    density = round(density, 3)
    rows = ties(v, seed)
    r = rows.unit @ rows.unit.T
    cut = at_density(rows.unit, density, rule)
    mask = kept(r, cut)
    if density * v * (v - 1) % 1:  # halves are rounded as decimals are written, which is tested elsewhere
        check_selection(r, cut, density)
    np.fill_diagonal(r, 0)
    found = degree(rows, cut, weighted=weighted)
    assert_array_equal(found.values, plain_degree(r, mask, rule, weighted=weighted))
    assert found.n_edges == mask.sum() // 2


def test_a_density_that_cuts_among_pairs_of_minus_one_leaves_some_out() -> None:
    rows = ties(5)
    cut = at_density(rows.unit, 0.9, "positive")
    assert (cut.threshold, cut.ties, len(cut.tied)) == (-1, 2, 1)
    found = degree(rows, cut, weighted=True)
    assert found.n_edges == 9
    r = rows.unit @ rows.unit.T
    assert found.values.sum() == 2 * (r[np.triu_indices(5, 1)].sum() + 1)


def test_halves_are_rounded_up() -> None:
    rows = ties(6)
    assert [degree(rows, at_density(rows.unit, d, "absolute")).n_edges for d in (0.1, 0.3, 0.5)] == [2, 5, 8]


def test_zero_of_either_sign_is_one_value() -> None:
    unit = np.array([[1, 0], [0, 1], [0, -1], [-1, 0]], np.float32)
    rows = UnitRows(unit, np.ones(4, np.float32), np.ones(4, bool))
    cut = at_density(unit, 0.5, "positive")  # of six: 0, 0, -1, -1, 0 and 0 of both signs
    assert (cut.threshold, cut.ties) == (0, 4)
    assert_array_equal(cut.tied, [[0, 1], [0, 2], [1, 3]])
    assert_array_equal(degree(rows, cut).values, [2, 2, 1, 1])


def test_too_many_ties_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voxel_density, "MOST_TIES", 10)
    with pytest.raises(CannotCompute, match="pairs share the correlation"):
        at_density(ties(50).unit, 0.5, "positive")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_numbers_do_not_depend_on_the_number_of_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(series(1500))
    cut = at_density(usable(rows), 0.1, "absolute")
    expected = degree(rows, cut, weighted=True).values
    monkeypatch.setattr(ordered, "workers", lambda: threads)
    monkeypatch.setattr(ordered, "split", with_threads(threads))
    assert_array_equal(degree(rows, cut, weighted=True).values, expected)
    again = at_density(usable(rows), 0.1, "absolute")
    assert (again.least, again.ties) == (cut.least, cut.ties)


def with_threads(count: int):
    """A `split` of so many threads."""

    def split(kernel, n: int) -> None:
        assert n == count
        others = [threading.Thread(target=kernel, args=(k, k + 1)) for k in range(1, count)]
        for other in others:
            other.start()
        kernel(0, 1)
        for other in others:
            other.join()

    return split


@pytest.mark.parametrize(
    "work",
    [
        lambda rows, report: degree(rows, at_least(0.2, "positive"), report=report),
        lambda rows, report: at_density(usable(rows), 0.2, "positive", report),
    ],
)
def test_progress_goes_up_to_the_end_and_what_it_raises_comes_through(work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "workers", lambda: 1)  # this thread reports after each of its own tiles
    rows = unit_rows(series(3000, 5))
    seen: list[float] = []
    work(rows, seen.append)
    assert len(seen) > 3
    assert seen == sorted(seen)
    limits = blas_threads()

    def stop(fraction: float) -> None:
        if fraction > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(rows, stop)
    assert blas_threads() == limits


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_the_limit_of_the_matrix_products_ends_with_its_last_user() -> None:
    before = blas_threads()
    first, second = one_thread_each(), one_thread_each()
    with first:
        second.__enter__()
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_in_any_thread_stops_all_and_is_raised(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "workers", lambda: threads)
    taken: list[int] = []

    def do(job: int, step: Step) -> int:
        step(1)
        if job == 7:
            raise ZeroDivisionError
        return job

    with pytest.raises(ZeroDivisionError):
        in_order(range(1000), do, taken.append, 1000)
    assert taken == list(range(len(taken)))
    assert len(taken) <= 7


@given(n=st.integers(0, 60))
def test_results_are_taken_in_the_order_of_the_jobs(n: int) -> None:
    taken: list[int] = []
    in_order(range(n), lambda job, step: step(1) or job, taken.append, n)
    assert taken == list(range(n))


class TestRefusals:
    @pytest.mark.parametrize("threshold", [-1.01, 1.01, np.nan, np.inf])
    def test_a_threshold_that_is_no_correlation(self, threshold: float) -> None:
        with pytest.raises(CannotCompute, match="no correlation"):
            at_least(threshold, "positive")

    @pytest.mark.parametrize("rule", ["absolute", "signed"])
    def test_a_negative_threshold_of_absolute_values(self, rule: EdgeRule) -> None:
        with pytest.raises(CannotCompute, match=r"below -0\.1"):
            at_least(-0.1, rule)

    @pytest.mark.parametrize("density", [0.0, -0.1, 1.01, np.nan])
    def test_a_density_that_is_no_share(self, density: float) -> None:
        with pytest.raises(CannotCompute, match="no share"):
            at_density(ties(9).unit, density, "positive")

    def test_a_density_without_an_edge(self) -> None:
        with pytest.raises(CannotCompute, match="keeps no edge of 9 voxels"):
            at_density(ties(9).unit, 0.01, "positive")

    @pytest.mark.parametrize("v", [0, 1])
    def test_fewer_than_two_voxels_that_vary(self, v: int) -> None:
        rows = unit_rows(np.vstack([series(v, 20), np.ones((3, 20), np.float32)]))
        with pytest.raises(CannotCompute, match=f"{v} voxels have a series"):
            degree(rows, at_least(0.1, "positive"))


def test_memory_grows_with_the_voxels_not_with_their_pairs() -> None:
    for needed in (degree_bytes, density_bytes):
        assert needed(200_000, 200) < 12 * needed(20_000, 200) < 12 * 100e6


def test_the_first_tile_of_a_strip_is_its_diagonal() -> None:
    places: list[list[tuple[int, int]]] = []

    def look(tiles) -> list[tuple[int, int]]:
        found = []
        for tile in tiles:
            assert isinstance(tile, Tile)
            if tile.row == tile.column:
                assert np.isnan(tile.r[np.tril_indices(len(tile.r))]).all()
            found.append((tile.row, tile.column))
        return found

    each_strip(usable(unit_rows(series(600, odd=False))), look, places.append)
    size = voxel_edges.ROWS
    assert places == [[(0, 0), (0, size)], [(size, size), (size, 2 * size)], [(2 * size, 2 * size)]]
