"""How often corrected p-values call noise an effect: ``python -m tests.null_rates`` writes docs/null-rates.md.

Smooth noise in a small volume, through the designs that the program offers, on all processors: each simulation has a
generator of its own, so the numbers do not depend on how they are divided. A small part of this runs with the tests
(tests/stats/test_null_rates.py).
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from habena.stats.cluster_inference import largest_cluster
from habena.stats.inference import Measure, PermutationTest, Question
from habena.stats.multiple import benjamini_hochberg
from habena.stats.neighbours import Neighbours, volume_neighbours
from habena.stats.permute import Shuffling
from habena.stats.tfce import tfce
from habena.stats.threads import workers
from scipy import stats

REPORT = Path(__file__).resolve().parents[1] / "docs" / "null-rates.md"
LEVEL = 0.05
EDGE = 10  # voxels of a cube
SD_VOXELS = 1.3  # of the smoothing: 3 voxels full width at half maximum
N_SIMULATIONS = 1000
AT_ONCE = 25  # simulations handed to a process
N_PERMUTATIONS = 199
FORMING_P = 0.01
GENERATOR_SEED = 20261121
INTRODUCTION = (
    "Written by `python -m tests.null_rates`: {n} simulations of each design, smooth Gaussian noise (3 voxels full "
    f"width at half maximum) in {EDGE} × {EDGE} × {EDGE} voxels, covariates with effects, {N_PERMUTATIONS} "
    "permutations (all of them where fewer exist), two-sided, clusters formed at "
    f"p < {FORMING_P:g}, 6 neighbours. Share of simulations with anything at a family-wise p of .05 or less, with the "
    "95 % interval of Clopper and Pearson. Extents are whole numbers: ties make them err on the safe side. With "
    "unequal variances no permutation is exact: v, compared by the degrees of freedom of each voxel, comes close; G, "
    "whose degrees of freedom are a rougher approximation, errs more. "
    f"Seed of the generator: {GENERATOR_SEED}."
)
OF_DISCOVERIES = (
    "False discovery rate of Benjamini and Hochberg at q ≤ .05, parametric p of two groups of 12; effects in a fifth "
    "of the voxels. Mean share of false ones among the voxels called, with its 95 % interval; the theory allows .05 "
    "without effects and .04 with them."
)
FAMILY_WISE = ("voxels", "cluster extent", "cluster mass", "TFCE")


class Count(NamedTuple):
    """How many of some simulations did something."""

    hits: int
    n: int

    def __str__(self) -> str:
        low, high = stats.binomtest(self.hits, self.n).proportion_ci(0.95, "exact")
        return f"{self.hits / self.n:.3f} ({low:.3f}–{high:.3f})"


def smooth_noise(rng: np.random.Generator, n: int, edge: int = EDGE) -> np.ndarray:
    """Gaussian noise of unit variance (n, edge^3), smooth, cut from a larger cube so that it has no borders."""
    border = 4
    at = np.arange(edge + 2 * border)
    kernel = np.exp(-((at[border : border + edge, None] - at) ** 2) / (2 * SD_VOXELS**2))
    kernel /= np.linalg.norm(kernel, axis=1, keepdims=True)
    noise = rng.standard_normal((n, at.size, at.size, at.size))
    return np.einsum("ax,by,cz,nxyz->nabc", kernel, kernel, kernel, noise, optimize=True).reshape(n, -1)


def _two_groups(rng: np.random.Generator, edge: int) -> Question:
    group = np.arange(20) < 9
    covariates = rng.standard_normal((20, 2)) + 0.7 * group[:, None]
    data = smooth_noise(rng, 20, edge) + covariates @ np.array([[2.0], [-1.0]])
    return Question(data, np.column_stack([np.ones(20), group, covariates]), np.array([[0, 1, 0, 0]]), Shuffling(20))


def _skewed(rng: np.random.Generator, edge: int) -> Question:
    score, age = rng.standard_exponential(20), rng.standard_normal(20)
    data = np.exp(smooth_noise(rng, 20, edge)) + age[:, None]
    return Question(data, np.column_stack([np.ones(20), score, age]), np.array([[0, 1, 0]]), Shuffling(20))


def _two_rows(rng: np.random.Generator, edge: int) -> Question:
    arm, age = np.arange(21) % 3, rng.standard_normal(21)
    data = smooth_noise(rng, 21, edge) + age[:, None]
    design = np.column_stack([np.ones(21), arm == 1, arm == 2, age])
    return Question(data, design, np.array([[0, 1, 0, 0], [0, 0, 1, 0]]), Shuffling(21))


def _one_sample(rng: np.random.Generator, edge: int) -> Question:
    age = rng.standard_normal(16)
    age -= age.mean()
    data = smooth_noise(rng, 16, edge) + age[:, None]
    return Question(data, np.column_stack([np.ones(16), age]), np.array([[1, 0]]), Shuffling(16, "flip"))


def _paired(rng: np.random.Generator, edge: int) -> Question:
    subject, time = np.repeat(np.arange(12), 2), np.tile([0, 1], 12)
    data = smooth_noise(rng, 24, edge) + 2 * smooth_noise(rng, 12, edge)[subject]
    design = np.column_stack([time, subject[:, None] == np.arange(12)])
    return Question(data, design, np.eye(1, 13), Shuffling(24, blocks=subject))


def _whole(rng: np.random.Generator, edge: int) -> Question:
    subject = np.repeat(np.arange(18), 2)
    group, age = (subject < 9), rng.standard_normal(18)[subject]
    data = smooth_noise(rng, 36, edge) + 2 * smooth_noise(rng, 18, edge)[subject] + age[:, None]
    design = np.column_stack([np.ones(36), group, age, np.tile([0, 1], 18)])
    return Question(data, design, np.eye(4)[1:2], Shuffling(36, blocks=subject, block_mode="whole"))


def _whole_flips(rng: np.random.Generator, edge: int) -> Question:
    subject = np.repeat(np.arange(14), 2)
    data = smooth_noise(rng, 28, edge) + 2 * smooth_noise(rng, 14, edge)[subject]
    return Question(data, np.ones((28, 1)), np.ones((1, 1)), Shuffling(28, "flip", subject, "whole"))


def _unequal(rng: np.random.Generator, edge: int) -> Question:
    group = np.arange(60) < 20
    data = smooth_noise(rng, 60, edge) * np.where(group, 2, 1)[:, None]
    design = np.column_stack([group, ~group]).astype(float)
    return Question(data, design, np.array([[1, -1]]), Shuffling(60), variance_groups=group)


def _unequal_pooled(rng: np.random.Generator, edge: int) -> Question:
    return replace(_unequal(rng, edge), variance_groups=None)


def _unequal_arms(rng: np.random.Generator, edge: int) -> Question:
    arm = np.repeat([0, 1, 2], [12, 18, 24])
    data = smooth_noise(rng, 54, edge) * np.where(arm == 0, 2, 1)[:, None]
    design = (arm[:, None] == np.arange(3)).astype(float)
    weights = np.array([[-1, 1, 0], [-1, 0, 1]])
    return Question(data, design, weights, Shuffling(54), variance_groups=arm)


def _voxelwise(rng: np.random.Generator, edge: int) -> Question:
    group, grey = np.arange(20) < 9, smooth_noise(rng, 20, edge)
    data = smooth_noise(rng, 20, edge) + grey
    design = np.column_stack([np.ones(20), group])
    return Question(data, design, np.array([[0, 1, 0]]), Shuffling(20), voxelwise=grey[None])


DESIGNS: dict[str, Callable[[np.random.Generator, int], Question]] = {
    "two groups, 9 and 11, two covariates that differ between them": _two_groups,
    "regression on a skewed score, skewed (log-normal) errors, one covariate": _skewed,
    "F of three arms of 7, one covariate": _two_rows,
    "one sample of 16, sign flips, one covariate": _one_sample,
    "12 pairs, exchanged within subjects": _paired,
    "two groups of 9 subjects with two scans each, whole subjects exchanged, one covariate": _whole,
    "14 subjects with two scans each, whole subjects flipped": _whole_flips,
    "groups of 20 and 40, twice the standard deviation in the smaller: v with variance groups": _unequal,
    "the same with pooled variance (wrong: the program warns)": _unequal_pooled,
    "two groups, one voxelwise covariate": _voxelwise,
    "F of arms of 12, 18 and 24, twice the standard deviation in the smallest: G with variance groups": _unequal_arms,
}


def measures(neighbours: Neighbours, question: Question, forming_p: float) -> tuple[Measure, ...]:
    """Clusters at a forming threshold and TFCE, two-sided."""
    n, q = len(question.data), len(question.weights)
    df = n - question.weights.shape[1]
    threshold = float(stats.t.isf(forming_p / 2, df) if q == 1 else stats.f.isf(forming_p, q, df))
    return (
        Measure("cluster extent", lambda values: largest_cluster(values, neighbours, threshold, "extent")),
        Measure("cluster mass", lambda values: largest_cluster(values, neighbours, threshold, "mass")),
        Measure("TFCE", lambda values: tfce(values, neighbours)),
    )


def family_wise(name: str, first: int, last: int, n_permutations: int = N_PERMUTATIONS, edge: int = EDGE) -> np.ndarray:
    """Whether anything was called an effect at .05, by each of `FAMILY_WISE`, in simulations first to last - 1."""
    neighbours = volume_neighbours(np.arange(edge**3), (edge, edge, edge))
    number = list(DESIGNS).index(name)
    found = np.zeros((last - first, len(FAMILY_WISE)), bool)
    for row, simulation in enumerate(range(first, last)):
        rng = np.random.default_rng([GENERATOR_SEED, number, simulation])
        question = DESIGNS[name](rng, edge)
        shuffling = replace(question.shuffling, seed=simulation, n_permutations=n_permutations)
        asked = measures(neighbours, question, FORMING_P)
        test = PermutationTest(replace(question, shuffling=shuffling, measures=asked))
        result = test.result(test.count(1, test.shuffling.count + 1))
        p = [result.p_fwe.p, *(result.measures[measure].p_fwe.p for measure in FAMILY_WISE[1:])]
        found[row] = [np.nanmin(values) <= LEVEL + 1e-9 for values in p]
    return found


def false_discoveries(smooth: bool, effect: float, first: int, last: int, edge: int = EDGE) -> np.ndarray:
    """Share of false ones among the voxels with q <= .05 (0 without any), of two groups with an effect in a fifth."""
    shares = np.zeros(last - first)
    group = np.arange(24) < 12
    design = np.column_stack([np.ones(24), group])
    true = np.arange(edge**3) < edge**3 // 5
    for row, simulation in enumerate(range(first, last)):
        rng = np.random.default_rng([GENERATOR_SEED, 100 + smooth, int(10 * effect), simulation])
        data = smooth_noise(rng, 24, edge) if smooth else rng.standard_normal((24, edge**3))
        data += effect * group[:, None] * true
        test = PermutationTest(Question(data, design, np.array([[0, 1]]), Shuffling(24)))
        q = benjamini_hochberg(2 * stats.t.sf(np.abs(test.statistic), test.scale.df))
        called = q <= LEVEL
        shares[row] = (called & ~(true & (effect != 0))).sum() / max(called.sum(), 1)
    return shares


def divided(simulate: Callable[[int, int], np.ndarray], n: int, processes: Executor) -> np.ndarray:
    """Simulations 0 to n - 1, some in each process."""
    first = range(0, n, AT_ONCE)
    return np.concatenate(list(processes.map(simulate, first, [min(start + AT_ONCE, n) for start in first])))


def report(n: int, processes: Executor) -> Iterator[str]:
    """The tables, line by line."""
    yield from (
        "# How often corrected p-values call noise an effect",
        "",
        INTRODUCTION.format(n=n),
        "",
        f"| design | {' | '.join(FAMILY_WISE)} |",
        f"| --- |{' --- |' * len(FAMILY_WISE)}",
    )
    for name in DESIGNS:
        hits = divided(partial(family_wise, name), n, processes).sum(axis=0)
        yield f"| {name} | {' | '.join(str(Count(int(hit), n)) for hit in hits)} |"
    yield from (
        "",
        OF_DISCOVERIES,
        "",
        "| data | effect (SD) | false discovery rate |",
        "| --- | --- | --- |",
    )
    for smooth in (False, True):
        for effect in (0.0, 1.5):
            shares = divided(partial(false_discoveries, smooth, effect), n, processes)
            half = 1.96 * shares.std(ddof=1) / np.sqrt(n)
            rate = f"{shares.mean():.3f} ({max(0.0, shares.mean() - half):.3f}–{shares.mean() + half:.3f})"
            yield f"| {'smooth' if smooth else 'independent'} | {effect:g} | {rate} |"


def main(n: int) -> None:
    """Print the tables as they come, and write them."""
    lines: list[str] = []
    with ProcessPoolExecutor(workers(), multiprocessing.get_context("spawn")) as processes:
        for line in report(n, processes):
            print(line, flush=True)
            lines.append(line)
    REPORT.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N_SIMULATIONS)
