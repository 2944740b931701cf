"""Permutation inference of a fitted model: what is exchanged, what is made of each map, and the p-values so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..stats.cluster_inference import ClusterStats, cluster_sizes, largest_cluster
from ..stats.errors import CannotCompute
from ..stats.freedman_lane import orthonormal, partition, refuse_futile
from ..stats.inference import PermutationTest, Result
from ..stats.neighbours import Neighbours
from ..stats.perm_counts import Counts
from ..stats.perm_question import Measure, Question
from ..stats.permute import Shuffling
from ..stats.tfce import tfce
from .model_fit import Fitted, Tested
from .model_parts import about
from .models import Inference
from .problems import Problem, silent

Report = Callable[[float], None]
TFCE, CLUSTER = "tfce", "cluster"
MOST_PERMUTATIONS = 1_000_000
CLUSTERS = frozenset({"cluster-extent", "cluster-mass"})
NEEDS_NEIGHBOURS = CLUSTERS | {"tfce"}
NEEDS_PERMUTATIONS = frozenset({"fwe", *NEEDS_NEIGHBOURS})


def check_inference(inference: Inference) -> None:
    """Refuse numbers that make no sense, before any work is done.

    Raises
    ------
    Problem
        With what to give instead.
    """
    if inference.permutations < 0:
        raise Problem("--permutations", f"{inference.permutations} makes no sense", "give 0 or more")
    if inference.permutations > MOST_PERMUTATIONS:
        what = f"{inference.permutations} are more than any p needs"
        raise Problem("--permutations", what, f"give at most {MOST_PERMUTATIONS}; 10000 are enough for p of 0.05")
    if not 0 <= inference.seed < 2**63:
        raise Problem("--seed", f"{inference.seed} is no seed", "give a whole number from 0")
    if not 0 < inference.cluster_p < 0.5:
        raise Problem(
            "--cluster-threshold", f"{inference.cluster_p:g} is no p to form clusters", "give one such as 0.001"
        )
    for option, value in (("--tfce-h", inference.tfce_h), ("--tfce-e", inference.tfce_e)):
        if not 0 < value < 100:
            raise Problem(option, f"{value:g} is no exponent", "give one above 0, such as 2 and 0.5")
    if inference.correction in NEEDS_PERMUTATIONS and not inference.permutations:
        what = f"{inference.correction} needs permutations"
        raise Problem("--correction", what, "add --permutations 5000, or choose fdr")


@dataclass(frozen=True, eq=False)
class Inferring:
    """One test on its way through its permutations.

    Attributes
    ----------
    tested : Tested
    test : PermutationTest
    question : Question
    threshold : float or None
        That forms clusters.
    """

    tested: Tested
    test: PermutationTest
    question: Question
    threshold: float | None

    @property
    def one_sided(self) -> bool:
        """Whether only positive effects count."""
        return not self.question.two_sided

    @property
    def kind(self) -> str:
        """What is exchanged: ``permute`` or ``flip``."""
        return self.test.shuffling.kind

    def steps(self, counts: Counts | None = None, report: Report = silent) -> Iterator[Counts]:
        """Go on from the counts so far; whatever was given last still stands when this is stopped."""
        return self.test.steps(counts, report)

    def all(self, report: Report = silent) -> Counts:
        """Every arrangement."""
        counts = self.test.nothing()
        for now in self.steps(None, report):
            counts = now
        return counts

    def result(self, counts: Counts) -> Result:
        """P-values by these counts."""
        return self.test.result(counts)


def inferring(
    fitted: Fitted, tested: Tested, inference: Inference, neighbours: Neighbours | None, report: Report = silent
) -> Inferring:
    """Make a test ready for permutations.

    Raises
    ------
    Problem
        Nothing can be exchanged, or blocks are of different sizes.
    """
    values, covariates = fitted.observations(tested.part)
    threshold = forming_threshold(tested, inference)
    with about(fitted.laid.table.path):
        question = Question(
            values,
            tested.part.design.matrix,
            tested.contrast.weights,
            _shuffling(fitted, tested, inference, covariates),
            two_sided=tested.is_f or not inference.one_sided,
            voxelwise=covariates,
            variance_groups=tested.part.groups,
            measures=_measures(tested, inference, neighbours, threshold),
        )
        return Inferring(tested, PermutationTest(question, report), question, threshold)


def forming_threshold(tested: Tested, inference: Inference) -> float:
    """Statistic that the uncorrected p of clusters stands for."""
    a, b = tested.maps.df
    sides = 1 if inference.one_sided else 2
    if tested.part.groups is not None and inference.correction in CLUSTERS:  # what is permuted is z or chi-square
        q = len(tested.contrast.weights)
        if not tested.signed:
            return float(stats.chi2.isf(inference.cluster_p, q) / q)
        return float(stats.norm.isf(inference.cluster_p / sides))
    if not tested.signed:
        return float(stats.f.isf(inference.cluster_p, a, b))
    return float(stats.t.isf(inference.cluster_p / sides, b))


def clusters_at(tested: Tested, inference: Inference, neighbours: Neighbours) -> ClusterStats:
    """Clusters of a test's map at the forming threshold."""
    measure = "mass" if inference.correction == "cluster-mass" else "extent"
    two_sided = tested.signed and not inference.one_sided
    return cluster_sizes(
        tested.searched, neighbours, forming_threshold(tested, inference), measure, two_sided=two_sided
    )


def clusters_of_mask(tested: Tested, inside: NDArray[np.bool_], neighbours: Neighbours) -> ClusterStats:
    """Clusters of elements that are found otherwise, such as by their p."""
    tiny = float(np.finfo(np.float32).tiny)
    shown = np.where(inside, tested.searched, np.float32(np.nan))
    return cluster_sizes(shown, neighbours, tiny, "extent", two_sided=tested.signed)


def _measures(
    tested: Tested, inference: Inference, neighbours: Neighbours | None, threshold: float
) -> tuple[Measure, ...]:
    if neighbours is None or inference.correction not in NEEDS_NEIGHBOURS:
        return ()
    if inference.correction == "tfce":
        made = partial(_tfce, neighbours, inference.tfce_h, inference.tfce_e)
        return (Measure(TFCE, made),)
    how = "mass" if inference.correction == "cluster-mass" else "extent"
    two_sided = tested.signed and not inference.one_sided
    return (Measure(CLUSTER, partial(_largest, neighbours, threshold, how, two_sided)),)


def _tfce(neighbours: Neighbours, h: float, e: float, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return tfce(values, neighbours, h, e)


def _largest(
    neighbours: Neighbours, threshold: float, measure: Any, two_sided: bool, values: NDArray[np.float32]
) -> float:
    return largest_cluster(values, neighbours, threshold, measure, two_sided=two_sided)


def _shuffling(fitted: Fitted, tested: Tested, inference: Inference, covariates: NDArray[Any] | None) -> Shuffling:
    design, part = tested.part.design, tested.part
    tests_a_mean = covariates is None and _tests_a_mean(design.matrix, tested.contrast.weights)
    if covariates is not None:
        fixed = tested.contrast.weights[:, : design.matrix.shape[1]]
        tests_a_mean = fixed.any(axis=1).all() and _tests_a_mean(design.matrix, fixed)
    return Shuffling(
        len(design.matrix),
        "flip" if tests_a_mean else "permute",
        part.blocks,
        fitted.model.exchange_mode,
        inference.seed,
        inference.permutations,
    )


def _tests_a_mean(matrix: NDArray[np.float64], weights: NDArray[np.float64]) -> bool:
    """Whether a contrast asks for what no exchange of rows changes: then their signs are flipped instead."""
    nuisance, _ = orthonormal(partition(matrix, weights))
    try:
        refuse_futile(matrix, nuisance, np.ones((len(matrix), 1)))
    except CannotCompute:
        return True
    return False
