"""How often answers about studies call noise an effect, written by ``python -m tests.study_null_rates`` into docs/.

The questions' own models, of a tiny study, with new noise for each simulation: people differ as a whole and at every
voxel. A small part of this runs with the tests (tests/study/test_study_null_rates.py).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from habena.app.model_fit import Fitted, Tested, fit_model
from habena.app.models import Inference
from habena.app.study import region_rows
from habena.app.study.asking import Ask
from habena.app.study.graph_data import Element, GraphData
from habena.app.study.graph_tests import Asked, graph_tests
from habena.app.study.overlap_shuffled import Paired, Shuffled, overlap_null
from habena.app.study.planning import plan
from habena.app.study.prepared import concrete
from habena.app.study.reading import read_study
from habena.app.study.region_rows import region_tests
from habena.app.study.values import Choices
from habena.stats.crossover import CrossoverColumns, crossover
from habena.stats.predict import cross_validated, prediction_null, prediction_p
from habena.stats.predict_data import PredictionData
from habena.stats.predict_folds import Nested

from tests.null_rates import Count
from tests.study.question_study import draw, write

REPORT = Path(__file__).resolve().parents[1] / "docs" / "study-null-rates.md"
LEVEL = 0.05
MASK_P = 0.2  # of an overlap's masks: few voxels would often share none
GENERATOR_SEED = 20261121
N_SIMULATIONS, N_PERMUTATIONS = 400, 199
N_SLOW, FEW_PERMUTATIONS = 100, 59  # nested cross-validation
PATIENTS, HEALTHY = 24, 20
QUESTIONS: dict[str, dict[str, Any]] = {
    "severity": {"kind": "severity"},
    "group": {"kind": "group"},
    "change, arms pooled": {"kind": "change"},
    "change, arm x improvement": {"kind": "change", "arm": "interaction"},
    "change, adjusted for the first scan": {"kind": "change", "baseline": True},
}
OVERLAPS = {"no effect": (0.0, 0.0), "groups differ": (1.5, 0.0), "change follows improvement": (0.0, 1.5)}
INTRODUCTION = (
    "Written by `python -m tests.study_null_rates`. Noise through the questions' own models: "
    f"{PATIENTS} patients in two arms and {HEALTHY} healthy people, {N_PERMUTATIONS} permutations "
    f"({FEW_PERMUTATIONS} for predictions). Share of simulations with a p of .05 or less, with the 95 % interval of "
    "Clopper and Pearson: of any named region (any region or metric of a graph), family-wise. An overlap is tested by "
    "the largest of three p (both maps permuted, each alone): with an effect in one map only it keeps its level, and "
    "without any it is stricter than it must be. "
    f"Seed of the generator: {GENERATOR_SEED}."
)


class Fit(NamedTuple):
    """A question's model and its test."""

    fitted: Fitted
    tested: Tested


def questions(folder: Path) -> dict[str, Fit]:
    """The models of `QUESTIONS` on a study that is written to a folder; the cache should lie elsewhere for a while."""
    where = write(folder, draw(1, PATIENTS, HEALTHY))
    study = read_study(where)
    made: dict[str, Fit] = {}
    for name, asked in QUESTIONS.items():
        planned = plan(study, Ask(study=str(where), **asked))
        fitted = fit_model(concrete(planned.models[0]))
        made[name] = Fit(fitted, next(tested for tested in fitted.tests if tested.name == planned.test))
    return made


def any_region(fit: Fit, simulation: int) -> bool:
    """Whether any named region has a family-wise p of .05 or less in new noise."""
    rng = np.random.default_rng([GENERATOR_SEED, simulation])
    values, covariates = _noise(rng, fit.fitted.values.shape), fit.fitted.covariates
    if covariates is not None:
        covariates = np.stack([_noise(rng, each.shape) for each in covariates])
        values -= 0.5 * covariates[0]
    fitted = replace(fit.fitted, values=values, covariates=covariates)
    rows = region_tests(fitted, fit.tested, Inference(seed=simulation), 6.0).rows
    return min(row.p_fwe for row in rows if row.p_fwe is not None) <= LEVEL + 1e-9


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (rng.standard_normal(shape) + 0.3 * rng.standard_normal((shape[0], 1))).astype(np.float32)


def overlap_p(simulation: int, group_effect: float, slope_effect: float, n: int = N_PERMUTATIONS) -> np.ndarray:
    """The three p of an overlap of smooth maps of people who share first scans: both permuted, the second, the first.

    Effects have one pattern of signs for each simulation, in one map or in none.
    """
    rng = np.random.default_rng([GENERATOR_SEED, simulation])
    at = np.arange(120)
    smooth = np.exp(-0.5 * ((at[:, None] - at) / 4) ** 2)
    smooth /= np.linalg.norm(smooth, axis=0)
    everybody = PATIENTS + HEALTHY
    pre = rng.standard_normal((everybody, at.size)) @ smooth
    post = 0.6 * pre[:PATIENTS] + 0.8 * rng.standard_normal((PATIENTS, at.size)) @ smooth
    group = np.column_stack([np.ones(everybody), np.arange(everybody) < PATIENTS]).astype(float)
    slope = np.column_stack([np.ones(PATIENTS), rng.standard_normal(PATIENTS)])
    pattern = rng.standard_normal(at.size) @ smooth
    pre += group_effect * group[:, 1:] * pattern
    post += group_effect * pattern + slope_effect * slope[:, 1:] * pattern
    people, weights = tuple(map(str, range(everybody))), np.array([[0.0, 1.0]])
    paired = Paired(
        Shuffled.of(pre, group, weights, MASK_P),
        Shuffled.of(post - pre[:PATIENTS], slope, weights, MASK_P),
        people,
        people[:PATIENTS],
    )
    sizes, null = overlap_null(paired, n, simulation)
    return (1 + np.count_nonzero(null >= sizes.both, axis=0)) / (1 + n)


def graph_p(simulation: int) -> float:
    """Least family-wise p of graph metrics that are alike in all regions of a person."""
    rng = np.random.default_rng([GENERATOR_SEED, simulation])
    n, regions = 24, 40
    values = rng.standard_exponential((n, regions)) + rng.standard_normal((n, 1))
    columns = {"arm": ["ketamine", "midazolam"] * (n // 2), "fd_mean": values.mean(axis=1) + rng.standard_normal(n)}
    frame = pd.DataFrame({"participant_id": [f"s{k}" for k in range(n)], **columns})
    elements = tuple(Element(f"r{k}", "L", "degree") for k in range(regions))
    data = GraphData(frame, elements, values, None, (), Choices(), (), (), simulated=True)
    asked = Asked("metric ~ arm + fd_mean", "k less m=-1*arm[T.midazolam]", N_PERMUTATIONS, simulation)
    return float(np.nanmin(graph_tests(data, asked).p_fwe))


def crossover_p(simulation: int) -> tuple[float, float]:
    """P of the exact companion in a crossover with a period effect: Student's, and of permuted people."""
    rng = np.random.default_rng([GENERATOR_SEED, simulation])
    n = 24
    person = np.repeat(np.arange(n), 2)
    period = np.tile([1, 2], n)
    first = person % 2 == 0
    given = np.where(first == (period == 1), "naltrexone", "placebo")
    outcome = 2 * rng.standard_normal(n)[person] + 0.5 * period + rng.standard_t(4, 2 * n)
    table = pd.DataFrame({"y": outcome, "who": person, "period": period.astype(str), "given": given})
    found = crossover(table, CrossoverColumns("y", "who", "period", "given"), permutations=N_PERMUTATIONS)
    return found.treatment.p, found.p_permutation


def prediction(simulation: int, n: int = FEW_PERMUTATIONS) -> float:
    """P of a cross-validated prediction of a score that only follows a covariate."""
    rng = np.random.default_rng([GENERATOR_SEED, simulation])
    people, age = 24, rng.standard_normal(24)
    features = rng.standard_normal((people, 20)) + age[:, None] + rng.standard_normal((people, 1))
    data = PredictionData(features.astype(np.float32), 2 * age + rng.standard_normal(people), age[:, None])
    nested = Nested(repeats=1, seed=simulation)
    return prediction_p(cross_validated(data, nested), prediction_null(data, nested, range(1, n + 1))).r


def report(n: int, n_slow: int, folder: Path) -> Iterator[str]:
    """The table, line by line."""
    yield from ("# How often answers about studies call noise an effect", "", INTRODUCTION, "")
    yield from ("| question | simulations | share |", "| --- | --- | --- |")
    for name, fit in questions(folder).items():
        yield _line(f"{name}: any named region", n, lambda k, fit=fit: any_region(fit, k))
    for name, effects in OVERLAPS.items():
        yield _line(f"overlap, {name}: largest p", n, lambda k, e=effects: overlap_p(k, *e).max() <= LEVEL)
    for name, effects in OVERLAPS.items():
        yield _line(f"overlap, {name}: both maps permuted", n, lambda k, e=effects: overlap_p(k, *e)[0] <= LEVEL)
    yield _line("graph: any region", n, lambda k: graph_p(k) <= LEVEL)
    yield _line("crossover: exact companion, Student's t", n, lambda k: crossover_p(k)[0] <= LEVEL)
    yield _line("crossover: exact companion, permuted people", n, lambda k: crossover_p(k)[1] <= LEVEL)
    yield _line("prediction: permutation p of r", n_slow, lambda k: prediction(k) <= LEVEL)


def _line(name: str, n: int, found: Callable[[int], Any]) -> str:
    return f"| {name} | {n} | {Count(sum(bool(found(k)) for k in range(n)), n)} |"


def main(n: int) -> None:
    """Print the table as it comes, and write it."""
    lines: list[str] = []
    region_rows.LEAST_PERMUTATIONS = N_PERMUTATIONS
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        for line in report(n, min(n, N_SLOW), Path(folder) / "study"):
            print(line, flush=True)
            lines.append(line)
    REPORT.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N_SIMULATIONS)
