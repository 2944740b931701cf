"""Permutations and corrections of `habena model`, counted again one refit at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from command_line import AFFINE, document, habena, write_image
from habena.app import modelling
from habena.app.compute import open_atlas
from habena.app.model_corrected import infer, neighbours_of
from habena.app.model_fit import fit_model
from habena.app.models import Inference, Model
from habena.app.problems import Cancelled
from habena.stats.inference import permutation_test
from habena.stats.multiple import benjamini_hochberg
from habena.stats.neighbours import volume_neighbours
from habena.stats.perm_question import Measure, Question
from habena.stats.permute import Shuffling
from habena.stats.tfce import tfce
from model_study import (
    EFFECT_IJK,
    SHAPE,
    N,
    Study,
    codes,
    cross_sectional,
    read_map,
    repeated,
    said,
    write_table,
)
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy import ndimage, stats

K, SEED = 60, 7
VOXEL_MM3 = 4.0 * 5.0 * 6.0
PERMUTED = ("--permutations", K, "--seed", SEED)
GROUP = ("--contrast", "g=group[T.b]")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return cross_sectional(tmp_path_factory.mktemp("study"))


class Refits(NamedTuple):
    """t of the data and of every rearrangement, as volumes with NaN where nothing is analysed."""

    t: NDArray[np.float64]
    rearranged: NDArray[np.float64]
    df: int

    def p(self) -> NDArray[np.float64]:
        exceeded = (np.abs(self.rearranged) >= np.abs(self.t) * (1 - 1e-6)).sum(axis=0)
        return np.where(np.isnan(self.t), np.nan, (1 + exceeded) / (1 + len(self.rearranged)))

    def p_of(self, observed: Any, of: Callable[[NDArray[np.float64]], float]) -> NDArray[np.float64]:
        """Family-wise p of observed values by the largest of each arrangement."""
        largest = np.array([of(t) for t in self.rearranged])
        exceeded = (largest[:, None] >= np.atleast_1d(observed).ravel() * (1 - 1e-6)).sum(axis=0)
        return ((1 + exceeded) / (1 + len(largest))).reshape(np.shape(observed))


@pytest.fixture(scope="module")
def refits(study: Study) -> Refits:
    return refits_of(study, 1)


def refits_of(study: Study, tested: int) -> Refits:
    """Freedman and Lane (1983), step by step: ~ group + age, one column tested."""
    x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.frame["age"]]).astype(float)
    inside = study.varies()
    y, z = study.data[:, inside].astype(float), np.delete(x, tested, axis=1)
    fitted = z @ np.linalg.lstsq(z, y)[0]
    residuals = y - fitted
    shuffling = Shuffling(N, seed=SEED, n_permutations=K, rows=x)

    def t_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
        b, rss = np.linalg.lstsq(x, values)[:2]
        t = np.full(SHAPE, np.nan)
        t[inside] = b[tested] / np.sqrt(rss / (N - 3) * np.linalg.inv(x.T @ x)[tested, tested])
        return t

    rearranged = [t_of(residuals[shuffling.arrangement(k).order] + fitted) for k in range(1, K + 1)]
    return Refits(t_of(y), np.stack(rearranged), N - 3)


def largest_extent(t: NDArray[np.float64], threshold: float) -> float:
    return max(np.bincount(ndimage.label(sign * t > threshold)[0].ravel())[1:].max(initial=0) for sign in (1, -1))


def mass_of(t: NDArray[np.float64], threshold: float) -> dict[int, float]:
    made: dict[int, float] = {}
    for sign in (1, -1):
        label, n = ndimage.label(sign * t > threshold)
        made |= {sign * k: float((sign * t)[label == k].sum()) for k in range(1, n + 1)}
    return made


# ---- p-values -----------------------------------------------------------------------------------------------------


def test_freedman_lane_p_are_those_of_explicit_refits(study: Study, refits: Refits, tmp_path: Path) -> None:
    found = study.fit("~ group + age", *GROUP, *PERMUTED, "--correction", "fwe", "-o", tmp_path / "maps")
    p = 10 ** -read_map(found, "g_neglog10-p-permutation")
    p_fwe = 10 ** -read_map(found, "g_neglog10-p-fwe")
    assert_allclose(p, refits.p(), rtol=1e-5)
    expected = refits.p_of(np.abs(refits.t), lambda t: float(np.nanmax(np.abs(t))))
    assert_allclose(p_fwe, np.where(np.isnan(refits.t), np.nan, expected), rtol=1e-5)
    (test,) = found["tests"]
    assert test["permutations"] == K + 1
    assert_allclose([test["p_permutation"], test["p_fwe"]], [p[EFFECT_IJK], p_fwe[EFFECT_IJK]], rtol=1e-5)
    assert test["p_corrected"] == pytest.approx(np.nanmin(p_fwe))
    for p in ("p_permutation", "p_fwe"):
        low, high = test[f"{p}_interval"]
        assert 0 <= low < test[p] < high < 1


def test_the_smallest_p_is_one_over_all_arrangements_and_never_0(study: Study) -> None:
    (test,) = study.fit("~ group", *GROUP, "--permutations", 40)["tests"]
    assert test["p_permutation"] == pytest.approx(1 / 41)
    assert study.fit("~ group", *GROUP, "--permutations", 40)["tests"] == [test]


def small(folder: Path, rows: int, columns: dict[str, Any]) -> Study:
    rng = np.random.default_rng(rows)
    data = rng.normal(0.5, 1, (rows, *SHAPE)).astype(np.float32)
    images = write_image(folder / "desc-simulated_all.nii.gz", np.moveaxis(data, 0, -1))
    frame = pd.DataFrame({"id": [f"s{k}" for k in range(rows)], **columns})
    return Study(folder, write_table(folder / "t.tsv", frame), images, data, data, frame)


def test_one_sample_of_six_is_flipped_in_all_64_ways(tmp_path: Path) -> None:
    few = small(tmp_path, 6, {})
    found = few.fit("~ 1", "--permutations", 5000, "--correction", "fwe", "-o", tmp_path / "maps")
    (test,) = found["tests"]
    assert (test["name"], test["permutations"]) == ("Intercept", 64)
    assert found["parameters"]["permutations"]["all_distinct"] == [True]
    y = few.data.astype(float)
    t = np.stack(
        [stats.ttest_1samp(np.array(s)[:, None, None, None] * y, 0).statistic for s in product((1, -1), repeat=6)]
    )
    exact = (np.abs(t) >= np.abs(t[0]) * (1 - 1e-6)).sum(axis=0) / 64
    assert_allclose(10 ** -read_map(found, "Intercept_neglog10-p-permutation"), exact, rtol=1e-5)
    largest = np.abs(t).max(axis=(1, 2, 3))
    family = (largest[:, None] >= np.abs(t[0]).ravel() * (1 - 1e-6)).sum(axis=0).reshape(SHAPE) / 64
    assert_allclose(10 ** -read_map(found, "Intercept_neglog10-p-fwe"), family, rtol=1e-5)


def test_three_against_three_is_rearranged_in_all_20_ways(tmp_path: Path) -> None:
    few = small(tmp_path, 6, {"group": list("aababb")})
    found = few.fit("~ group", "--permutations", 999, "-o", tmp_path / "maps")
    assert found["tests"][0]["permutations"] == 20
    p = 10 ** -read_map(found, "group-T.b_neglog10-p-permutation")
    assert_allclose(20 * p, np.round(20 * p), atol=1e-5)
    y = few.data.astype(float)
    ways = [list(way) for way in combinations(range(6), 3)]
    t = np.stack([stats.ttest_ind(y[way], np.delete(y, way, axis=0)).statistic for way in ways])
    observed = np.abs(t[ways.index([2, 4, 5])])
    assert_allclose(p, (np.abs(t) >= observed * (1 - 1e-6)).sum(axis=0) / 20, rtol=1e-5)


def test_students_sleep_has_an_exact_p_of_4_in_1024(tmp_path: Path) -> None:
    """Nine differences above 0 and one of 0: the observed signs and their opposite, each with either sign of 0."""
    first = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    second = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    rows = [(f"p{k}", f"drug{d}", x) for d, each in enumerate((first, second)) for k, x in enumerate(each)]
    table = write_table(tmp_path / "sleep.tsv", pd.DataFrame(rows, columns=["person", "drug", "extra"]))
    asked = ("--formula", "extra ~ drug", "--subject", "person", "--within", "drug", "--permutations", 2000)
    (test,) = document("model", "table", "--table", table, *asked)["tests"]
    assert test["permutations"] == 1024
    assert test["p_permutation"] == test["p_fwe"] == pytest.approx(4 / 1024)


def test_blocks_limit_what_is_exchanged(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pairs = repeated(tmp_path / "in")
    within = pairs.fit("~ session", "--exchange", "subject", "--permutations", 5000)
    assert within["tests"][0]["permutations"] == 2**9
    whole = pairs.fit("~ group", "--exchange", "subject", "--exchange-mode", "whole", "--permutations", 5000)
    n_b = (pairs.frame.drop_duplicates("subject")["group"] == "b").sum()
    assert whole["tests"][0]["permutations"] == len(list(combinations(range(9), n_b)))


def test_terms_are_permuted_by_freedman_and_lane(study: Study) -> None:
    found = study.fit("~ group + age", "--terms", *PERMUTED)
    t = study.fit("~ group + age", *GROUP, *PERMUTED)["tests"][0]
    f = found["tests"][0]
    assert f["value"] == pytest.approx(t["value"] ** 2, rel=1e-5)
    assert (f["p_permutation"], f["p_fwe"]) == (t["p_permutation"], t["p_fwe"])


def test_one_sided_p_look_for_positive_effects_only(study: Study, refits: Refits, tmp_path: Path) -> None:
    asked = (*PERMUTED, "--one-sided", "--correction", "fwe", "-o", tmp_path / "maps")
    found = study.fit("~ group + age", *GROUP, *asked)
    inside = study.varies()
    exceeded = (refits.rearranged >= refits.t - 1e-6).sum(axis=0)
    p = 10 ** -read_map(found, "g_neglog10-p-permutation")
    assert_allclose(p[inside], ((1 + exceeded) / (1 + K))[inside], rtol=1e-5)
    largest = np.nanmax(refits.rearranged, axis=(1, 2, 3))
    family = (1 + (largest[:, None, None, None] >= refits.t - 1e-6).sum(axis=0)) / (1 + K)
    assert_allclose((10 ** -read_map(found, "g_neglog10-p-fwe"))[inside], family[inside], rtol=1e-5)


def test_a_voxelwise_covariate_is_permuted_with_the_rest(study: Study, tmp_path: Path) -> None:
    asked = ("--voxelwise", "grey=grey_file", *PERMUTED, "-o", tmp_path / "maps")
    found = study.fit("~ group", *GROUP, *asked)
    p = 10 ** -read_map(found, "g_neglog10-p-permutation")
    shuffling = Shuffling(N, seed=SEED, n_permutations=K)
    for ijk in (EFFECT_IJK, (6, 5, 4), (3, 0, 2)):
        at = (slice(None), *ijk)
        x = np.column_stack([study.frame["group"] == "b", np.ones(N), study.grey[at]]).astype(float)
        y, z = study.data[at].astype(float), x[:, 1:]
        fitted = z @ np.linalg.lstsq(z, y)[0]

        def t_of(values: NDArray[np.float64], x: NDArray[np.float64] = x) -> float:
            b, rss = np.linalg.lstsq(x, values)[:2]
            return float(abs(b[0]) / np.sqrt(rss[0] * np.linalg.inv(x.T @ x)[0, 0]))

        moved = [t_of(fitted + (y - fitted)[shuffling.arrangement(k).order]) for k in range(1, K + 1)]
        assert p[ijk] == pytest.approx((1 + sum(t >= t_of(y) * (1 - 1e-6) for t in moved)) / (1 + K), rel=1e-5)


# ---- corrections --------------------------------------------------------------------------------------------------


def test_the_false_discovery_rate_is_that_of_benjamini_and_hochberg(study: Study, tmp_path: Path) -> None:
    found = study.fit("~ group", *GROUP, "--correction", "fdr", "-o", tmp_path / "maps")
    inside = study.varies()
    p, q = (10 ** -read_map(found, f"g_{name}")[inside] for name in ("neglog10-p", "neglog10-q-fdr"))
    assert_allclose(q, stats.false_discovery_control(p), rtol=1e-4)
    assert_allclose(q, benjamini_hochberg(p), rtol=1e-4)
    survivors = np.zeros(SHAPE, bool)
    survivors[inside] = q < 0.05
    assert survivors[EFFECT_IJK]
    assert sum(cluster["size"] for cluster in found["clusters"]) == survivors.sum()
    assert found["tests"][0]["p_corrected"] == pytest.approx(q.min(), rel=1e-4)


@pytest.mark.parametrize("measure", ["extent", "mass"])
def test_cluster_p_are_those_of_explicit_refits(study: Study, refits: Refits, tmp_path: Path, measure: str) -> None:
    forming = 0.05
    asked = ("--correction", f"cluster-{measure}", "--cluster-threshold", forming)
    found = study.fit("~ group + age", *GROUP, *PERMUTED, *asked, "-o", tmp_path / "maps")
    threshold = float(stats.t.isf(forming / 2, refits.df))
    count = measure == "extent"

    def largest(t: NDArray[np.float64]) -> float:
        return float(largest_extent(t, threshold)) if count else max(mass_of(t, threshold).values(), default=0.0)

    at_peak = {tuple(np.round(row["peak_mm"], 3)): row for row in found["clusters"]}
    labels = {sign: ndimage.label(sign * refits.t > threshold)[0] for sign in (1, -1)}
    masses = mass_of(refits.t, threshold)
    assert len(found["clusters"]) == len(masses) > 3
    p_map = 10 ** -read_map(found, f"g_neglog10-p-cluster-{measure}")
    for key, mass in masses.items():
        sign = np.sign(key)
        members = labels[sign] == abs(key)
        peak = np.unravel_index(np.where(members, np.abs(refits.t), 0).argmax(), SHAPE)
        row = at_peak[tuple(np.round((AFFINE @ (*peak, 1))[:3], 3))]
        size = mass if measure == "mass" else members.sum()
        assert (row["sign"], row["size"]) == (sign, members.sum())
        assert row["size_mm3"] == pytest.approx(members.sum() * VOXEL_MM3)
        assert row["peak_value"] == pytest.approx(refits.t[peak], rel=1e-4)
        assert row["p"] == pytest.approx(float(refits.p_of(size, largest)[()]))
        assert_allclose(p_map[members], row["p"], rtol=1e-5)
    outside = study.varies() & (labels[1] == 0) & (labels[-1] == 0)
    assert_array_equal(p_map[outside], 1)
    assert_array_equal(read_map(found, "g_clusters")[outside], 0)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_tfce_is_that_of_the_library_with_its_permutation_p(study: Study, tmp_path: Path, connectivity: int) -> None:
    exponents = ("--tfce-h", 2.5, "--tfce-e", 0.7, "--connectivity", connectivity)
    asked = (*PERMUTED, "--correction", "tfce", *exponents, "-o", tmp_path / "maps")
    found = study.fit("~ group + age", *GROUP, *asked)
    voxels = np.flatnonzero(study.varies().ravel(order="F"))
    neighbours = volume_neighbours(voxels, SHAPE, connectivity)
    x = np.column_stack([np.ones(N), study.frame["group"] == "b", study.frame["age"]]).astype(float)
    measure = Measure("tfce", lambda t: tfce(t, neighbours, 2.5, 0.7))
    y = np.ascontiguousarray(study.data.transpose(0, 3, 2, 1).reshape(N, -1)[:, voxels])
    weights = np.array([[0.0, 1, 0]])
    shuffling = Shuffling(N, seed=SEED, n_permutations=K, rows=x)
    expected = permutation_test(Question(y, x, weights, shuffling, measures=(measure,))).measures["tfce"]

    def flat(name: str) -> NDArray[np.float64]:
        return read_map(found, name).ravel(order="F")[voxels]

    assert_allclose(flat("g_tfce"), expected.observed, rtol=1e-5)
    assert_allclose(flat("g_tfce"), tfce(flat("g_t").astype(np.float32), neighbours, 2.5, 0.7), rtol=1e-3, atol=1e-4)
    assert_allclose(10 ** -flat("g_neglog10-p-tfce-fwe"), expected.p_fwe.p, rtol=1e-5)
    significant = 10 ** -flat("g_neglog10-p-tfce-fwe") < 0.05
    assert sum(cluster["size"] for cluster in found["clusters"]) == significant.sum() > 0


def test_clusters_of_unequal_variances_are_made_of_the_statistic_that_is_permuted(study: Study) -> None:
    asked = ("--correction", "cluster-mass", "--cluster-threshold", 0.05, "--variance", "by-group")
    question = Model(str(study.images), str(study.table), "~ group + age", ("g=group[T.b]",), variance="by-group")
    inference = Inference(K, SEED, "cluster-mass", 0.05)
    fitted = fit_model(question)
    neighbours = neighbours_of(fitted, inference)
    (each,) = infer(fitted, inference, neighbours)
    assert each.clusters is not None
    assert each.result is not None
    assert each.clusters.statistic.max() == pytest.approx(
        np.abs(each.result.compared[each.clusters.label == each.clusters.statistic.argmax()]).sum(), rel=1e-5
    )
    found = study.fit("~ group + age", *GROUP, *PERMUTED, *asked)
    assert "welch-permuted" in codes(found)


def test_regions_of_clusters_are_counted_in_the_atlas(study: Study) -> None:
    found = study.fit("~ group", *GROUP, "--cluster-threshold", 0.2)
    atlas = open_atlas("aal2")
    t = study.fit("~ group", *GROUP)["tests"][0]
    largest = found["clusters"][0]
    assert largest["size_mm3"] == max(row["size_mm3"] for row in found["clusters"])
    named = [region for row in found["clusters"] for region in row["regions"]]
    assert named
    titles = {region.title for region in atlas.regions}
    for row in found["clusters"]:
        assert sum(region["share"] for region in row["regions"]) <= 1.0001
        assert all(region["atlas"] == "aal2" and region["name"] in titles for region in row["regions"])
    one = next(row for row in found["clusters"] if row["size"] == 1 and row["regions"])
    label = int(atlas.labels_at(np.array([one["peak_mm"]]))[0])
    assert one["regions"] == [{"atlas": "aal2", "name": atlas.regions[label - 1].title, "share": 1.0}]
    assert t["p_fwe"] is None


def test_regions_of_another_atlas_are_named_by_it(study: Study) -> None:
    found = study.fit("~ group", *GROUP, "--cluster-threshold", 0.2, "--atlas", "harvard-oxford")
    assert {region["atlas"] for row in found["clusters"] for region in row["regions"]} == {"harvard-oxford"}


def test_a_region_is_a_small_volume(study: Study, tmp_path: Path) -> None:
    atlas = open_atlas("aal2")
    ijk = np.argwhere(study.varies())
    labels = atlas.labels_at(ijk @ AFFINE[:3, :3].T + AFFINE[:3, 3])
    counts = np.bincount(labels)[1:]
    region = atlas.regions[int(counts.argmax())]
    asked = (*GROUP, *PERMUTED, "--correction", "fwe")
    whole = study.fit("~ group", *asked, "-o", tmp_path / "whole")
    part = study.fit("~ group", *asked, "--region", region.title, "--atlas", "aal2", "-o", tmp_path / "part")
    assert part["elements"] == counts.max() < whole["elements"]
    inside = np.isfinite(read_map(part, "g_t"))
    assert_array_equal(np.argwhere(inside), ijk[labels == counts.argmax() + 1])
    p, p_whole = (read_map(found, "g_neglog10-p-fwe")[inside] for found in (part, whole))
    assert (p >= p_whole - 1e-6).all()
    assert_array_equal(read_map(part, "g_t")[inside], read_map(whole, "g_t")[inside])


def test_a_mask_limits_the_analysis(study: Study, tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:5, :, 1:] = 1
    found = study.fit("~ group", "--mask", write_image(tmp_path / "mask.nii", mask), "-o", tmp_path / "maps")
    assert_array_equal(np.isfinite(read_map(found, "group-T.b_t")), (mask > 0) & study.varies())


def test_across_tests_p_are_at_least_those_within_a_test(study: Study, tmp_path: Path) -> None:
    asked = ("--contrast", "group[T.b]", "--contrast", "age", "--contrast", "both=0 1 0; 0 0 1", *PERMUTED)
    own = study.fit("~ group + age", *asked, "--correction", "fwe", "-o", tmp_path / "own")
    across = study.fit("~ group + age", *asked, "--correction", "fwe", "--across-tests", "-o", tmp_path / "across")
    larger = 0
    for name in ("group-T.b", "age", "both"):
        p_own, p_across = (10 ** -read_map(found, f"{name}_neglog10-p-fwe") for found in (own, across))
        inside = study.varies()
        assert (p_across[inside] >= p_own[inside] - 1e-6).all()
        larger += int((p_across[inside] > p_own[inside] + 1e-6).sum())
    assert larger > 0
    tfce_too = study.fit("~ group + age", *asked, "--correction", "tfce", "--across-tests")
    assert "tfce" in said(tfce_too, "across-statistic-only")[0]


def test_across_tests_p_are_those_of_the_largest_t_of_all_tests(study: Study, refits: Refits, tmp_path: Path) -> None:
    asked = ("--contrast", "group[T.b]", "--contrast", "age", *PERMUTED, "--correction", "fwe", "--across-tests")
    found = study.fit("~ group + age", *asked, "-o", tmp_path / "maps")
    both = {"group-T.b": refits, "age": refits_of(study, 2)}
    largest = np.max([np.nanmax(np.abs(each.rearranged), axis=(1, 2, 3)) for each in both.values()], axis=0)
    for name, each in both.items():
        exceeded = (largest[:, None, None, None] >= np.abs(each.t) * (1 - 1e-6)).sum(axis=0)
        expected = np.where(np.isnan(each.t), np.nan, (1 + exceeded) / (1 + K))
        assert_allclose(10 ** -read_map(found, f"{name}_neglog10-p-fwe"), expected, rtol=1e-5)


# ---- cancelled ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_a_cancelled_model_leaves_nothing_behind(study: Study, tmp_path: Path, share: float) -> None:
    def report(done: float) -> None:
        if done >= share:
            raise Cancelled

    question = Model(str(study.images), str(study.table), "~ group")
    with pytest.raises(Cancelled):
        modelling.model(question, Inference(50, correction="fwe"), str(tmp_path / "maps"), report=report)
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize("asked", [{}, {"within": "session", "subject": "subject"}], ids=["scans", "sessions"])
def test_progress_goes_forward_from_0_to_1(tmp_path: Path, asked: dict[str, str]) -> None:
    told: list[float] = []
    (tmp_path / "in").mkdir()
    pairs = repeated(tmp_path / "in")
    columns = (("grey", "grey_file"),)
    question = Model(str(pairs.images), str(pairs.table), "~ group * session", voxelwise=columns, **asked)
    modelling.model(question, Inference(50, correction="tfce"), report=told.append)
    assert len(told) > 2 * len(pairs.frame)
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] == pytest.approx(1)


def test_a_cancelled_command_ends_with_130(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_: object) -> None:
        raise Cancelled

    monkeypatch.setattr(modelling, "model", cancelled)
    outcome = habena("model", study.images, "--table", study.table, "--formula", "~ group")
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")
