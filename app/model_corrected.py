"""P-values over all elements of a model: permutations counted, corrections made, clusters described."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..stats.cluster_inference import ClusterStats
from ..stats.inference import Result
from ..stats.multiple import benjamini_hochberg
from ..stats.perm_counts import Counts, corrected
from .model_clusters import ClusterRow, Found, cluster_rows
from .model_fit import Fitted, Tested
from .model_inference import (
    CLUSTER,
    NEEDS_NEIGHBOURS,
    TFCE,
    Inferring,
    clusters_at,
    clusters_of_mask,
    inferring,
)
from .model_places import RegionPlace, SurfacePlace
from .models import Inference
from .problems import Problem, silent

if TYPE_CHECKING:
    from ..stats.neighbours import Neighbours
    from .atlas import Atlas

Report = Callable[[float], None]
LEVEL = 0.05
TOLERANCE = 1e-5  # statistics that are equal but for rounding


@dataclass(frozen=True, eq=False)
class Inferred:
    """One test with its p-values.

    Attributes
    ----------
    tested : Tested
    inference : Inference
    result : Result or None
        None without permutations.
    across : (V,) float64 or None
        Family-wise p over the elements of all tests.
    clusters : ClusterStats or None
        At the forming threshold, where clusters are what is corrected.
    p_of_cluster : (C,) float64 or None
    """

    tested: Tested
    inference: Inference
    result: Result | None = None
    across: NDArray[np.float64] | None = None
    clusters: ClusterStats | None = None
    p_of_cluster: NDArray[np.float64] | None = None

    @property
    def p_fwe(self) -> NDArray[np.float64] | None:
        """By the largest statistic, of this test or of all."""
        return self.across if self.across is not None or self.result is None else self.result.p_fwe.p

    @property
    def p_corrected(self) -> NDArray[Any] | None:
        """Of each element by the correction asked for; q for the false discovery rate; None for none."""
        match self.inference.correction:
            case "none":
                return None
            case "fdr":
                return benjamini_hochberg(self.tested.maps.p)
            case "fwe":
                return self.p_fwe
            case "tfce":
                return None if self.result is None else self.result.measures[TFCE].p_fwe.p
            case _:
                return self._of_clusters()

    def _of_clusters(self) -> NDArray[np.float64] | None:
        """Each element has the p of its cluster, 1 outside all of them."""
        if self.clusters is None or self.p_of_cluster is None:
            return None
        p = np.append(self.p_of_cluster, 1.0)[self.clusters.label]
        return np.where(np.isfinite(self.tested.maps.statistic), p, np.nan)

    def smallest_corrected(self) -> float | None:
        """The strongest finding."""
        p = self.p_corrected
        return None if p is None or not np.isfinite(p).any() else float(np.nanmin(p))


def neighbours_of(fitted: Fitted, inference: Inference) -> Neighbours | None:
    """Who is next to whom, where that is known or needed.

    Raises
    ------
    Problem
        Clusters are asked for of what has no neighbours.
    """
    needed = inference.correction in NEEDS_NEIGHBOURS
    if fitted.data is None or isinstance(fitted.data.place, RegionPlace):
        if needed:
            todo = "choose --correction fwe or fdr"
            raise Problem(fitted.model.source, "clusters and TFCE need voxels or vertices with neighbours", todo)
        return None
    place = fitted.data.place
    if not needed and isinstance(place, SurfacePlace) and place.cortex.world is None:
        return None
    return place.neighbours(inference.connectivity)


def infer(
    fitted: Fitted,
    inference: Inference,
    neighbours: Neighbours | None,
    scheduler: str | None = None,
    report: Report = silent,
) -> tuple[Inferred, ...]:
    """P-values of all tests, by permutation where permutations are asked for."""
    if not inference.permutations:
        return tuple(Inferred(each, inference) for each in fitted.tests)
    made: list[tuple[Inferring, Counts]] = []
    done: list[Inferred] = []
    n = len(fitted.tests)
    for number, tested in enumerate(fitted.tests):

        def told(part: float, number: int = number) -> None:
            report((number + part) / n)

        if tested.sphericity is not None:
            done.append(Inferred(tested, inference))
            continue
        ready = inferring(fitted, tested, inference, neighbours)
        counts = ready.all(told) if scheduler is None else _elsewhere(scheduler, ready, told)
        done.append(inferred(ready, counts, inference, neighbours))
        made.append((ready, counts))
    return tuple(done) if not inference.across_tests else _across(done, made)


def inferred(ready: Inferring, counts: Counts, inference: Inference, neighbours: Neighbours | None) -> Inferred:
    """One test by the permutations counted so far."""
    result = ready.result(counts)
    found = Inferred(ready.tested, inference, result)
    if neighbours is None or inference.correction not in {"cluster-extent", "cluster-mass"}:
        return found
    # with variances by group what is permuted is not the statistic that is shown
    permuted = replace(ready.tested, searched=result.compared.astype(np.float32))
    clusters = clusters_at(permuted, inference, neighbours)
    largest = result.measures[CLUSTER].largest
    complete = result.exhaustive and result.n_done == result.n_total
    p = corrected(clusters.statistic, largest, TOLERANCE, complete=complete).p
    return replace(found, clusters=clusters, p_of_cluster=p)


def _elsewhere(scheduler: str, ready: Inferring, report: Report) -> Counts:
    from .distribute import count_on  # noqa: PLC0415 - dask, where it is asked for

    return count_on(scheduler, ready.question, ready.test.shuffling.count, report)


def _across(done: Sequence[Inferred], made: Sequence[tuple[Inferring, Counts]]) -> tuple[Inferred, ...]:
    """Family-wise p over all permuted tests: the smallest parametric p of each arrangement, over elements and tests.

    Tests of different degrees of freedom are compared by their p. Where tests are rearranged differently (signs
    here, places there) their arrangements are independent of each other, which makes p larger, never smaller.
    """
    if not made:
        return tuple(done)
    shared = min(counts.done.size for _, counts in made)

    def strength(ready: Inferring, squares: NDArray[Any]) -> NDArray[np.float64]:
        """-log p, of the side that is looked for."""
        return -ready.test.scale.log_p(squares, two_sided=not ready.one_sided)

    largest = np.maximum.reduce([strength(ready, counts.largest["statistic"][:shared]) for ready, counts in made])
    tests = {id(ready.tested): ready for ready, _ in made}
    found: list[Inferred] = []
    for each in done:
        ready = tests.get(id(each.tested))
        if ready is not None:
            p = corrected(strength(ready, ready.test.observed()), largest, TOLERANCE)
            each = replace(each, across=p.p)  # noqa: PLW2901
        found.append(each)
    return tuple(found)


def clusters_of(
    fitted: Fitted, each: Inferred, inference: Inference, neighbours: Neighbours | None, atlas: Atlas | None
) -> tuple[ClusterRow, ...]:
    """Clusters of a test: at the forming threshold, or of elements that survive the correction at 5 %."""
    if neighbours is None or fitted.data is None:
        return ()
    p = each.p_corrected
    if inference.correction in {"none", "cluster-extent", "cluster-mass"}:
        found = each.clusters or clusters_at(each.tested, inference, neighbours)
        p = None
    else:
        inside = np.zeros(fitted.n_elements, bool) if p is None else np.nan_to_num(p, nan=1.0) < LEVEL
        found = clusters_of_mask(each.tested, inside, neighbours)
    statistic = each.tested.maps.statistic.astype(np.float32)
    described = Found(each.tested.name, statistic, found.sign, found.label, each.p_of_cluster, p)
    return cluster_rows(described, fitted.data.place, neighbours, atlas)
