"""Logan and SRTM against curves made by integrating the model's equations, SciPy's fits, and real regions.

Curves made by equations are simulated: nobody was scanned for them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app.problems import Cancelled
from habena.stats.errors import CannotCompute
from habena.stats.kinetics import AT_ONCE, Frames, convolved, frames_from_injection, integral, region_curve
from habena.stats.logan import LoganOptions, logan
from habena.stats.srtm import BasisRange, srtm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad, solve_ivp
from scipy.optimize import curve_fit

DURATION_S = np.repeat([10, 20, 30, 60, 120, 300, 600], [6, 3, 8, 5, 5, 8, 3])
FRAMES = frames_from_injection(np.cumsum(DURATION_S) - DURATION_S, DURATION_S)
MID = FRAMES.mid_min


class Tissue(NamedTuple):
    """Parameters of the simplified reference tissue model; rates in 1/min."""

    bp_nd: float
    r1: float
    k2: float


TISSUES = (Tissue(0.0, 0.8, 0.1), Tissue(0.4, 0.8, 0.09), Tissue(1.5, 1.1, 0.12), Tissue(3.0, 0.9, 0.08))


def reference_at(time_min: np.ndarray) -> np.ndarray:
    """A smooth simulated reference curve: the response of one compartment to a gamma-like plasma curve."""
    return 40 * (time_min * np.exp(-time_min / 2.5) + 3.2 * (np.exp(-time_min / 60) - np.exp(-time_min / 6)))


def simulated(tissue: Tissue, reference: Callable[[float], float], corners: np.ndarray) -> np.ndarray:
    """Curve of a tissue at the frames' middles: its differential equation, solved between a reference's corners."""
    k2a = tissue.k2 / (1 + tissue.bp_nd)
    gain = tissue.k2 - tissue.r1 * k2a
    state, found, before = [0.0], [], 0.0
    for now in corners:
        solved = solve_ivp(lambda t, c: gain * reference(t) - k2a * c, (before, now), state, rtol=1e-10, atol=1e-9)
        state, before = [solved.y[0, -1]], now
        found.append(tissue.r1 * reference(now) + state[0])
    return np.array(found)


def made_of(tissue: Tissue, reference: np.ndarray, frames: Frames) -> np.ndarray:
    """The same by the closed form, which the differential equation checks below."""
    k2a = tissue.k2 / (1 + tissue.bp_nd)
    return tissue.r1 * reference + (tissue.k2 - tissue.r1 * k2a) * convolved(reference, frames.mid_min, k2a)


CORNERS = reference_at(MID)


def straight(time_min: float) -> float:
    """The reference as the model sees it: straight lines between the frames' middles."""
    return float(np.interp(time_min, [0, *MID], [0, *CORNERS]))


@pytest.fixture(scope="module")
def tissues() -> np.ndarray:
    return np.column_stack([simulated(tissue, straight, MID) for tissue in TISSUES])


@settings(deadline=None, max_examples=60)
@given(rate=st.floats(1e-6, 20), seed=st.integers(0, 99), n=st.integers(1, 12))
def test_convolution_of_straight_lines_is_exact(rate: float, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    mid, curve = np.cumsum(rng.uniform(1e-3, 9, n)), rng.uniform(0, 5, n)

    def at(time: float) -> float:
        return float(np.interp(time, [0, *mid], [0, *curve])) * np.exp(-rate * (mid[-1] - time))

    expected = sum(quad(at, low, high, epsabs=1e-11)[0] for low, high in zip([0, *mid[:-1]], mid, strict=True))
    assert_allclose(convolved(curve, mid, rate)[-1], expected, rtol=1e-6, atol=1e-9)


def test_without_decay_a_convolution_is_the_integral() -> None:
    area = integral(CORNERS, MID)
    assert_allclose(area[-1], np.trapezoid([0, *CORNERS], [0, *MID]), rtol=1e-12)
    assert_allclose(convolved(CORNERS, MID, 1e-12), area, rtol=1e-9)


def test_frames_before_injection_hold_nothing() -> None:
    frames = frames_from_injection([0, 60, 120, 180], [60] * 4, injection_s=60)
    assert_allclose(frames.mid_min, [-0.5, 0.5, 1.5, 2.5])
    assert_allclose(integral(np.array([9.0, 2, 2, 2]), frames.mid_min), [0, 0.5, 2.5, 4.5])


def test_the_closed_form_solves_the_differential_equation(tissues: np.ndarray) -> None:
    for tissue, curve in zip(TISSUES, tissues.T, strict=True):
        assert_allclose(made_of(tissue, CORNERS, FRAMES), curve, rtol=1e-7)


def test_srtm_recovers_what_simulated_curves_were_made_with(tissues: np.ndarray) -> None:
    found = srtm(tissues.astype(np.float32), CORNERS, FRAMES, BasisRange(0.005, 0.5, 200))
    for v, tissue in enumerate(TISSUES):
        got = (found.bp_nd[v], found.r1[v], found.k2_per_min[v])
        assert_allclose(got, tissue, rtol=1e-3, atol=1e-3)
        assert_allclose(found.k2a_per_min[v], tissue.k2 / (1 + tissue.bp_nd), rtol=3e-3)
    assert_allclose(found.k2ref_per_min, found.k2_per_min / found.r1)
    assert not found.at_edge.any()
    assert (found.sd < 1e-3 * tissues.max()).all()


def test_a_rate_that_is_tried_is_recovered_exactly(tissues: np.ndarray) -> None:
    low = TISSUES[2].k2 / (1 + TISSUES[2].bp_nd)
    found = srtm(tissues[:, 2:3].astype(np.float32), CORNERS, FRAMES, BasisRange(low / 2, low * 2, 41))
    assert_allclose([found.bp_nd[0], found.r1[0], found.k2_per_min[0]], TISSUES[2], rtol=2e-6)


def test_rates_at_the_edge_of_the_range_are_marked(tissues: np.ndarray) -> None:
    found = srtm(tissues.astype(np.float32), CORNERS, FRAMES, BasisRange(0.03, 0.07, 50))
    assert found.at_edge.tolist() == [True, False, False, True]


def test_srtm_has_the_least_squares_that_scipy_finds(tissues: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    noisy = (tissues + rng.standard_normal(tissues.shape) * 0.8 / np.sqrt(FRAMES.duration_min)[:, None]).astype("f4")
    found = srtm(noisy, CORNERS, FRAMES, BasisRange(0.005, 0.8, 150))

    def model(_: np.ndarray, *parameters: float) -> np.ndarray:
        return made_of(Tissue(*parameters), CORNERS, FRAMES)

    for v, tissue in list(enumerate(TISSUES))[1:]:  # without binding, noise leaves k2 open
        best, _ = curve_fit(model, MID, noisy[:, v].astype(float), tissue, sigma=FRAMES.duration_min**-0.5)
        assert_allclose((found.bp_nd[v], found.r1[v], found.k2_per_min[v]), best, rtol=5e-3, atol=5e-3)
        weight = FRAMES.duration_min / FRAMES.duration_min.mean()
        left = weight @ (noisy[:, v] - model(MID, *best)) ** 2
        assert_allclose(found.sd[v], np.sqrt(left / (len(MID) - 3)), rtol=5e-4)


def test_srtm_of_a_smooth_reference_errs_by_its_frames_alone() -> None:
    curves = np.column_stack([simulated(tissue, lambda t: float(reference_at(np.array(t))), MID) for tissue in TISSUES])
    found = srtm(curves.astype(np.float32), CORNERS, FRAMES)
    assert_allclose(found.bp_nd, [tissue.bp_nd for tissue in TISSUES], rtol=0.02, atol=0.01)
    assert_allclose(found.r1, [tissue.r1 for tissue in TISSUES], rtol=0.02)


def test_logan_with_k2ref_is_a_straight_line_of_slope_dvr() -> None:
    """For this model DVR = 1 + BP and the intercept -1 / k2a hold at all times; fine frames leave no other error."""
    fine = frames_from_injection(np.arange(0, 90, 0.1) * 60, np.full(900, 6.0))
    reference = reference_at(fine.mid_min)
    for tissue in TISSUES:
        k2a = tissue.k2 / (1 + tissue.bp_nd)
        curve = made_of(tissue, reference, fine)
        found = logan(curve[:, None].astype(np.float32), reference, fine, LoganOptions(5.0, tissue.k2 / tissue.r1))
        assert_allclose(found.dvr, 1 + tissue.bp_nd, rtol=2e-4)
        assert_allclose(found.bp_nd, tissue.bp_nd, atol=1e-3)
        assert_allclose(found.intercept_min, -1 / k2a, rtol=5e-3)
        assert_allclose(found.r2, 1, atol=1e-6)
        assert found.n_frames == 850


def test_logan_without_k2ref_comes_near_dvr_as_tstar_grows() -> None:
    duration = np.full(240, 60.0)
    long = frames_from_injection(np.cumsum(duration) - duration, duration)
    reference = reference_at(long.mid_min)
    tissue = Tissue(0.8, 0.9, 0.1)
    curve = made_of(tissue, reference, long)
    early, middle, late = (
        float(logan(curve[:, None].astype(np.float32), reference, long, LoganOptions(start)).dvr[0])
        for start in (5, 60, 180)
    )
    assert abs(late - 1.8) < abs(middle - 1.8) < abs(early - 1.8)
    assert_allclose(late, 1.8, rtol=2e-3)


def test_logan_equals_a_weighted_regression_by_numpy(tissues: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    data = (tissues * rng.normal(1, 0.05, tissues.shape)).astype(np.float32)
    weights = rng.uniform(0.2, 2, len(MID))
    found = logan(data, CORNERS, FRAMES, LoganOptions(20, 0.11, weights))
    used = MID >= 20
    assert found.n_frames == used.sum()
    for v in range(data.shape[1]):
        curve = data[:, v].astype(float)
        x = ((integral(CORNERS, MID) + CORNERS / 0.11) / curve)[used]
        y = (integral(curve, MID) / curve)[used]
        slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights[used]))
        w = weights[used] / weights[used].mean()
        left = y - intercept - slope * x
        assert_allclose([found.dvr[v], found.intercept_min[v]], [slope, intercept], rtol=1e-5)
        assert_allclose(found.sd_min[v], np.sqrt(w @ left**2 / (used.sum() - 2)), rtol=1e-5)
        assert_allclose(found.r2[v], 1 - w @ left**2 / (w @ (y - np.average(y, weights=w)) ** 2), rtol=1e-6)


@pytest.mark.parametrize("model", ["srtm", "logan"])
def test_voxels_without_a_usable_curve_are_nan_and_leave_the_others_alone(model: str, tissues: np.ndarray) -> None:
    data = np.column_stack([tissues, np.zeros(len(MID)), tissues[:, 1], tissues[:, 1]]).astype(np.float32)
    data[3, 5], data[20, 6] = np.nan, np.inf

    def fit(values: np.ndarray) -> np.ndarray:
        found = srtm(values, CORNERS, FRAMES) if model == "srtm" else logan(values, CORNERS, FRAMES, LoganOptions(30))
        return found.bp_nd

    assert np.isnan(fit(data)).tolist() == [False] * 4 + [True] * 3
    np.testing.assert_array_equal(fit(data)[:4], fit(tissues.astype(np.float32)))


@pytest.mark.parametrize("model", ["srtm", "logan"])
def test_maps_do_not_depend_on_how_voxels_are_parted_and_can_be_cancelled(model: str, tissues: np.ndarray) -> None:
    many = np.tile(tissues, AT_ONCE // 2).astype(np.float32)
    done: list[float] = []

    def fit(report: Callable[[float], None]) -> np.ndarray:
        if model == "srtm":
            return srtm(many, CORNERS, FRAMES, BasisRange(steps=12), report).bp_nd
        return logan(many, CORNERS, FRAMES, LoganOptions(30), report).bp_nd

    np.testing.assert_array_equal(fit(done.append), np.tile(fit(done.append)[:4], AT_ONCE // 2))
    assert done == [0.5, 1.0, 0.5, 1.0]

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fit(cancel)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda d: logan(d, CORNERS, FRAMES, LoganOptions(500)), "t\\* = 500 min"),
        (lambda d: logan(d, CORNERS, FRAMES, LoganOptions(30, 0.0)), "no rate"),
        (lambda d: logan(d, CORNERS, FRAMES, LoganOptions(30, None, -MID)), "weights"),
        (lambda d: logan(d, CORNERS[:-1], FRAMES, LoganOptions(30)), "37 values for 38 frames"),
        (lambda d: logan(d[1:], CORNERS, FRAMES, LoganOptions(30)), "37 frames of data"),
        (lambda d: srtm(d, CORNERS * 0, FRAMES), "no activity"),
        (lambda d: srtm(d, CORNERS * np.nan, FRAMES), "no activity"),
        (lambda d: srtm(d, CORNERS, FRAMES, BasisRange(0.5, 0.1, 9)), "no range of rates"),
        (lambda d: srtm(d, CORNERS, FRAMES, BasisRange(0.0, 0.1, 9)), "no range of rates"),
        (lambda d: srtm(d, np.eye(38)[37], FRAMES), "cannot tell rates apart"),
        (lambda d: srtm(d[:3], CORNERS[:3], Frames(MID[:3], MID[:3])), "3 frames do not determine"),
        (lambda _: frames_from_injection([0, 60], [60, 60]), "no dynamic scan"),
        (lambda _: frames_from_injection([0, 60, 30], [60, 60, 60]), "do not follow"),
        (lambda d: region_curve(d * np.float32(np.nan)), "no voxel with values"),
    ],
)
def test_unusable_input_is_refused_with_a_reason(wrong: Callable, what: str, tissues: np.ndarray) -> None:
    with pytest.raises(CannotCompute, match=what):
        wrong(tissues.astype(np.float32))


def test_a_reference_curve_is_the_mean_of_its_finite_voxels() -> None:
    data = np.array([[1, 3, np.nan, 5], [2, 4, 9, np.inf]], np.float32)
    assert_allclose(region_curve(data), [2, 3])


def test_real_regions_agree_between_the_models_and_with_scipy(shared_data: Callable[[str], Path]) -> None:
    """Region curves of one person (38 frames, 2 h): DVR of Logan with the k2' that SRTM finds, SRTM, curve_fit."""
    table = pd.read_csv(shared_data("pet/ROI_TAC_nonPVE.txt"), sep="\t")
    start, end = table["time[seconds]"].to_numpy(), table["end[Bq/ml]"].to_numpy()
    frames = frames_from_injection(start, end - start)
    reference = table["Total_cb"].to_numpy()
    names = ["Total_th", "Total_antcin", "Total_ins", "Total_parc", "Total_occ", "Total_DLPFC", "Neocortex", "R_cb"]
    data = table[names].to_numpy(np.float32)
    fitted = srtm(data, reference, frames)
    k2ref = float(np.median(fitted.k2ref_per_min[:-1]))
    line = logan(data, reference, frames, LoganOptions(35, k2ref))
    assert 0.05 < k2ref < 0.12
    assert_allclose(fitted.bp_nd[-1], 0, atol=0.005)
    assert_allclose(line.bp_nd, fitted.bp_nd, rtol=0.06, atol=0.005)

    def model(_: np.ndarray, *parameters: float) -> np.ndarray:
        return made_of(Tissue(*parameters), reference, frames)

    for v in range(len(names)):
        start_at = (0.5, 1.0, 0.08)
        best, _ = curve_fit(model, frames.mid_min, data[:, v], start_at, sigma=frames.duration_min**-0.5)
        assert_allclose((fitted.bp_nd[v], fitted.r1[v], fitted.k2_per_min[v]), best, rtol=2e-3, atol=2e-3)


def test_real_parameters_come_back_from_curves_made_of_them(shared_data: Callable[[str], Path]) -> None:
    """One person's maps of BP and R1 with the cerebellar curve they were made with: simulated voxels, refitted."""
    times = pd.read_csv(shared_data("pet/info_tim.csv")).to_numpy()
    frames = frames_from_injection(times[:, 0] - times[:, 1] / 2, times[:, 1])
    reference = np.squeeze(nib.load(shared_data("pet/tac.cereb.nii.gz")).get_fdata())
    bp, r1 = (nib.load(shared_data(f"pet/{name}.mni305.2mm.sm6.nii.gz")).get_fdata() for name in ("BP", "R1"))
    usable = np.argwhere((bp > 0.05) & (bp < 3) & (r1 > 0.5))[::997]
    bp, r1 = bp[tuple(usable.T)], r1[tuple(usable.T)]
    curves = [made_of(Tissue(b, r, 0.09 * r), reference, frames) for b, r in zip(bp, r1, strict=True)]
    data = np.array(curves, np.float32).T
    found = srtm(data, reference, frames, BasisRange(0.005, 0.4, 200))
    assert len(usable) > 100
    assert_allclose(found.bp_nd, bp, rtol=2e-3, atol=2e-3)
    assert_allclose(found.r1, r1, rtol=2e-3)
    assert_allclose(logan(data, reference, frames, LoganOptions(30, 0.09)).bp_nd, bp, rtol=0.05, atol=0.02)


def test_ten_real_people_agree_between_the_models(shared_data: Callable[[str], Path]) -> None:
    """Published [11C]PBR28 regions, two scans each, cerebellum as reference: DVR of both models within .02."""
    table = pd.read_csv(shared_data("pet/pbr28_tacdata.csv"))
    differences = []
    for _, scan in table[table["Duration"] > 0].groupby("PET"):
        start = scan["StartTime"].to_numpy()
        frames = frames_from_injection(start, scan["Duration"].to_numpy())
        data = scan[["FC", "TC", "STR", "THA", "WB"]].to_numpy(np.float32)
        fitted = srtm(data, scan["CBL"].to_numpy(), frames)
        line = logan(data, scan["CBL"].to_numpy(), frames, LoganOptions(15, 0.1))
        differences += [line.dvr - 1 - fitted.bp_nd]
    assert len(differences) == 20
    assert np.median(np.abs(differences)) < 0.02
