"""How often noise is called an effect within one run: ``python -m tests.simulations`` writes docs/simulations.md.

Seed and voxels are unrelated autoregressive noise, prepared in one projection as a run is, and every voxel's
correlation with the seed is tested against 0. A tenth of this runs with the tests (tests/stats/test_effective.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from habena.stats.confounds import Nuisance, design
from habena.stats.correlate import seed_series
from habena.stats.effective import significance, two_sided_p
from habena.stats.rows import compact_rows
from scipy.signal import lfilter

REPORT = Path(__file__).resolve().parents[1] / "docs" / "simulations.md"
N_VOLUMES = 180
TR_S = 2.0
N_VOXELS = 400
N_RUNS = 500
LEVELS = (0.05, 0.001)
GENERATOR_SEED = 20261121
INTRODUCTION = (
    f"Written by `python -m tests.simulations`. {N_RUNS} runs of {N_VOLUMES} volumes at TR {TR_S:g} s, {N_VOXELS} "
    "voxels and a seed each, all unrelated AR(1) noise, prepared in one projection. Share of voxels called "
    "correlated with the seed at p < .05 and p < .001, two-sided, uncorrected: “naive” with n - 2 degrees of "
    "freedom (n = kept volumes), “effective” with Bartlett's, less the regressors, as the program does. "
    "Many slow confounds without a band leave residuals that hide part of the noise's autocorrelation: there too much "
    "is called an effect. "
    f"The standard error of a rate near .05 is about .001. Seed of the generator: {GENERATOR_SEED}."
)


class Rates(NamedTuple):
    """Share of null tests below each level; and the median of the degrees of freedom."""

    naive: list[float]
    effective: list[float]
    df: float


def noise(rng: np.random.Generator, phi: float, shape: tuple[int, int]) -> np.ndarray:
    """Stationary autoregressive noise of order 1, unit innovations."""
    innovations = rng.standard_normal((shape[0], shape[1] + 200))
    return lfilter([1], [1, -phi], innovations, axis=1)[:, 200:].astype(np.float32)


def preparations(rng: np.random.Generator) -> Iterator[tuple[str, Nuisance]]:
    """What is done to a run, in words and as regressors; confounds and censoring are drawn anew for each run."""
    confounds = noise(rng, 0.9, (24, N_VOLUMES)).T.astype(np.float64)
    names = tuple(f"confound {k}" for k in range(24))
    censored = rng.random(N_VOLUMES) < 0.2
    band = (0.01, 0.1)
    yield "mean removed", Nuisance(N_VOLUMES)
    yield "quadratic drift, 24 confounds of AR(1) .9", Nuisance(N_VOLUMES, 2, None, None, confounds, names)
    yield "quadratic drift, a fifth of the volumes censored", Nuisance(N_VOLUMES, 2, censored=censored)
    yield "0.01–0.1 Hz, quadratic drift", Nuisance(N_VOLUMES, 2, band, TR_S)
    yield "0.01–0.1 Hz, quadratic drift, 24 confounds", Nuisance(N_VOLUMES, 2, band, TR_S, confounds, names)
    yield "0.01–0.1 Hz, a fifth censored", Nuisance(N_VOLUMES, 0, band, TR_S, censored=censored)


def rates(phi: float, preparation: int, n_runs: int = N_RUNS) -> tuple[str, Rates]:
    """False-positive rates over runs of noise, and the preparation in words."""
    rng = np.random.default_rng([GENERATOR_SEED, int(100 * phi), preparation])
    naive, effective, df = [], [], []
    words = ""
    for _ in range(n_runs):
        words, nuisance = list(preparations(rng))[preparation]
        built = design(nuisance)
        rows = compact_rows(noise(rng, phi, (N_VOXELS + 1, N_VOLUMES)), built)
        tested = significance(rows, seed_series(rows, np.array([N_VOXELS])), built)
        r = tested.r[:N_VOXELS]
        by_count = two_sided_p(r, built.kept.sum() - 2)
        naive.append([(by_count < level).mean() for level in LEVELS])
        effective.append([(tested.p[:N_VOXELS] < level).mean() for level in LEVELS])
        df.append(np.median(tested.df[:N_VOXELS]))
    return words, Rates(np.mean(naive, axis=0).tolist(), np.mean(effective, axis=0).tolist(), float(np.median(df)))


def report() -> str:
    """All of it as a table."""
    lines = [
        "# How often noise is called an effect within one run",
        "",
        INTRODUCTION,
        "",
        "| preparation | AR(1) | naive .05 | naive .001 | effective .05 | effective .001 | effective df (median) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    n_preparations = sum(1 for _ in preparations(np.random.default_rng(0)))
    for preparation in range(n_preparations):
        for phi in (0.0, 0.3, 0.5, 0.7):
            words, found = rates(phi, preparation)
            numbers = [f"{rate:.4f}" for rate in (*found.naive, *found.effective)]
            lines.append(f"| {words} | {phi:g} | {' | '.join(numbers)} | {found.df:.0f} |")
            print(lines[-1], flush=True)
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    REPORT.write_text(report(), encoding="utf-8")
